"""The instructions of MELSEC Q, L, R and FX CPUs and what each does to its operands, one family a line.

Sources: MELSEC-Q/L Programming Manual (Common Instructions), MELSEC iQ-R Programming Manual (CPU Module
Instructions), FX3 Programming Manual (Basic & Applied Instructions).

A line is `names | variants | operands`. Variants: `P` also with P behind (pulse), `D` also with D before (32 bits),
`w2` and `w4` say that a value takes two words or four. Operands, in order, alternatives by their number behind `/`:

s  read            set  set               d'    a value of twice the width
d  written         rst  reset             s1    a value of one word, whatever the width
m  read, written   pls  on for one scan   d[8]  8 values; d[n] as many as the operand n says, d[k] as k says
n  k  counts       pre  timer, counter    d[?]  from here on, nobody knows how many; rst[..] up to the next operand
-  no device       sft  takes over what   s=    of two words where the first operand is a counter of two
                        is before it
"""

TABLE = """
LD LDI LDP LDF LDPI LDFI AND ANI ANDP ANDF ANDPI ANDFI OR ORI ORP ORF ORPI ORFI STL | | s
ANB ORB INV MPS MRD MPP MEP MEF NOP NOPLF FEND END RET SRET IRET NEXT STOP WDT WDTP GOEND COM EROMWR | |
PAGE MCR | | - /
EGP EGF FF | | m
OUT OUTH OUTHS | | d / pre s=
SET | | set
RST | | rst
PLS PLF DELTA DELTAP | | pls
SFT | P | sft
ALT | P | m
MC | | - d

+ - +_U -_U | D P | s m / s s d
* / *_U /_U | D P | s s d'
ADD SUB | D P | s s d
MUL DIV | D P | s s d'
E+ E- | P w2 | s m / s s d
E* E/ | P w2 | s s d
ED+ ED- | P w4 | s m / s s d
ED* ED/ | P w4 | s s d
DEADD DESUB DEMUL DEDIV | P w2 | s s d
B+ B- | P | s m / s s d
DB+ DB- | P w2 | s m / s s d
B* B/ | P | s s d'
DB* DB/ | P w2 | s s d'
BK+ BK- | D P | s[n] s[n] d[n] n
$+ | P | s[?] m[?] / s[?] s[?] d[?]
INC DEC INC_U DEC_U | D P | m
NEG | D P | m
ENEG DENEG | P w2 | m
EDNEG | P w4 | m
LIMIT BAND ZONE LIMIT_U BAND_U ZONE_U | D P | s s s d
SCL SCL2 | D P | s s[?] d
MEAN | D P | s[n] d n
MAX MIN | P | s[n] d[3] n
DMAX DMIN | P | s2[n] d[4] n
WSUM | P | s[n] d2 n
DWSUM | P w2 | s[n] d' n
RND | P | d
SRND | P | s

WAND WOR WXOR WXNR | P | s m / s s d
DAND DOR DXOR DXNR DWAND DWOR DWXOR DWXNR | P w2 | s m / s s d
BKAND BKOR BKXOR BKXNR | P | s[n] s[n] d[n] n
ROR RCR ROL RCL | D P | m n
SFR SFL | P | m n
BSFR BSFL DSFR DSFL | P | m[n] n
SFTBR SFTBL SFTWR SFTWL | P | m[n] n k
SFTR SFTL WSFR WSFL | P | s[k] m[n] n k
SFWR | P | s m[n] n
SFRD | P | m[n] d n
BSET BRST | P | m n
TEST | P | s n d
DTEST | P | s2 n d
BKRST | P | rst[n] n
ZRST | P | rst[..] -
SER | P | s s[n] d[2] n
DSER | P | s2 s2[n] d[2] n
SUM | P | s d
DSUM | P | s2 d
BON | P | s d n
DBON | P | s2 d n
DECO | P | s d[?] n
ENCO | P | s[?] d n
SEG SEGD | P | s d
DIS UNI WTOB BTOW | P | s[?] d[?] n
NDIS NUNI | P | s[?] d[?] s[?]
SORT | | m[n] n s d d[2]
DSORT | | m2[n] n s d d[2]

MOV CML | D P | s d
EMOV | P w2 | s d
DEMOV | P w2 | s d
EDMOV | P w4 | s d
$MOV | P | s[?] d[?]
MOVB CMLB | P | s d
BMOV RBMOV BMOVL BLKMOVB | P | s[n] d[n] n
FMOV FMOVL | D P | s d[n] n
XCH | D P | m m
BXCH | P | m[n] m[n] n
SWAP | D P | m
SMOV | P | s n n m n
PRUN | D P | s d
CMP | D P | s s d[3]
ZCP | D P | s s s d[3]
ECMP DECMP | P w2 | s s d[3]
EZCP DEZCP | P w2 | s s s d[3]
BCD BIN GRY GBIN | D P | s d
BKBCD BKBIN | P | s[n] d[n] n
FLT INT2FLT UINT2FLT INT2DINT INT2UDINT UINT2DINT DBL | P | s d2
FLTD INT2DBL UINT2DBL | P | s d4
DFLT DINT2FLT UDINT2FLT | P | s2 d2
DFLTD DINT2DBL | P | s2 d4
INT FLT2INT FLT2UINT WORD DINT2INT | P | s2 d1
DINT FLT2DINT FLT2UDINT | P | s2 d2
INTD DBL2INT | P | s4 d1
DINTD DBL2DINT | P | s4 d2
ECON FLT2DBL | P | s2 d4
EDCON DBL2FLT | P | s4 d2

SIN COS TAN ASIN ACOS ATAN RAD DEG SQR ESQR EXP LOG LOG10 | P w2 | s d
SIND COSD TAND ASIND ACOSD ATAND RADD DEGD SQRD EXPD LOGD LOG10D | P w4 | s d
DSIN DCOS DTAN DASIN DACOS DATAN DRAD DDEG DESQR DEXP DLOGE DLOG10 | P w2 | s d
POW | P w2 | s s d
POWD | P w4 | s s d
BSQR | P | s d[2]
BDSQR | P | s2 d[2]
BSIN BCOS BTAN | P | s d[3]
BASIN BACOS BATAN | P | s[3] d
EMOD | P | s2 s d[5]
EREXP | P | s[5] s d2
DEBCD DEBIN | P w2 | s d

BINDA BINHA BCDDA | D P | s d[?]
DABIN HABIN DABCD | D P | s[?] d
COMRD | P | s d[?]
LEN | P | s[?] d
STR | D P | s1[2] s d[?]
VAL | D P | s[?] d1[2] d
ESTR DESTR | P | s2 s[3] d[?]
EVAL DEVAL | P | s[?] d2
ASC ASCI HEX | P | s[?] d[?] n
RIGHT LEFT | P | s[?] d[?] n
MIDR MIDW | P | s[?] d[?] s[2]
INSTR | P | s[?] s[?] d n
STRINS STRDEL | P | s[?] d[?] n / d[?] n k

FIFW | P | s m[?]
FIFR FPOP | P | d m[?]
FDEL | P | d m[?] n
FINS | P | s m[?] n
FROM | P | s s d[n] n
DFRO DFROM | P | s s d2[n] n
TO | P | s s s[n] n
DTO | P | s s s2[n] n
RFS REF | P | m[n] n
REFF | P | n
RSET | P | s
QDRSET QCDSET | P | s[?]
ZRRDB | P | s2 d
ZRWRB | P | s2 s
ADRSET | P | s d2
ZPUSH ZPOP | P | m[?]
UNIRD TYPERD | P | s d[?] n / s d[?]

CJ SCJ JMP CJP | | s
CALL FCALL XCALL | P | s / s m / s m m / s m m m / s m m m m / s m m m m m
ECALL EFCALL | P | s[?] s / s[?] s m / s[?] s m m / s[?] s m m m / s[?] s m m m m / s[?] s m m m m m
FOR | | n
BREAK | P | d s
DI EI | | - /
IMASK | | s[16]
PSTOP POFF PSCAN PLOW | P | s[?]
UDCNT1 UDCNT2 | | s[2] pre n
TTMR | | d[2] n
STMR | | pre n d[4]
ROTC | | s[3] n n d[8]
RAMP | | s s d[2] n d[2] / s s d[2] n
SPD | | s n d
PLSY PWM | | s s d
DPLSY | | s2 s2 d
MTR | | s[8] d[8] d[?] n
DUTY | | s s d
TIMCHK | | s s d
KEY | | s[8] n d[?] d
PID PIDCONT | | s s m[25] d / m[?]
PIDINIT | P | s[?]
S.PIDINIT SP.PIDINIT | | s[?]
S.PIDCONT SP.PIDCONT | | m[?]

DATERD | P | d[7]
DATEWR | P | s[7]
S.DATERD SP.DATERD | | d[8]
DATE+ DATE- S.DATE+ SP.DATE+ S.DATE- SP.DATE- | P | s[3] s[3] d[3]
SECOND TIME2SEC HTOS | P | s[3] d2
HOUR SEC2TIME STOH | P | s2 d[3] / s d[2] d
DHOUR | | s2 d[3] d
TRD | P | d[7]
TWR | P | s[7]
TCMP | P | s s s s[3] d[3]
TZCP | P | s[3] s[3] s[3] d[3]
TADD TSUB | P | s[3] s[3] d[3]

HSCS DHSCS | | s2 s2 set
HSCR DHSCR | | s2 s2 rst
DHSZ HSZ | | s2 s2 s2 d[3]
PLSR | | s s s d
DPLSR | | s2 s2 s2 d
IST | | s[8] s s
ABSD | | s[?] s d[n] n
DABSD | | s2[?] s2 d[n] n
INCD | | s[?] s[2] d[n] n
TKY DTKY | | s[10] d d[11]
HKY DHKY | | s[4] d[4] d d[8]
DSW | | s[?] d[4] d n
ARWS | | s[4] m d[8] n
ABS DABS | | s[3] d[3] d2
ZRN | | s s s d
DZRN | | s2 s2 s d
DSZR | | s s d d
PLSV | | s d d
DPLSV | | s2 d d
DRVI DRVA DVIT | | s s d d
DDRVI DDRVA DDVIT | | s2 s2 d d
DTBL | | d n
ANS | | pre n set
ANR | P |
VRRD VRSC | P | s d
RS | | s[n] n d[k] k
RS2 | | s[n] n d[k] k s
CCD | P | s[?] d[2] n
CRC | P | s[?] d n
ADPRW | | s s s s m[?] / s s s s s m[?]
IVCK IVRD | | s s d s
IVDR IVWR | | s s s s
IVMC | | s s s[2] d[2] s
HCMOV DHCMOV | | s2 d2

ICCNTRD1 ICCNTRD2 ICSMPRD1 ICSMPRD2 ICPLSRD1 ICPLSRD2 ICFCNT1 ICFCNT2 ICRCNT1 ICRCNT2 | P w2 | d
ICLTHRD1 ICLTHRD2 | P w2 | n d
ICPREWR1 ICPREWR2 | P w2 | s
ICCOVWR1 ICCOVWR2 | P w2 | n s
ICRNGWR1 ICRNGWR2 ICPWM1 ICPWM2 | P w2 | s s

G.INPUT GP.INPUT G.BIDIN GP.BIDIN | | - m[?] d[?] d[2]
G.OUTPUT GP.OUTPUT G.PRR GP.PRR G.BIDOUT GP.BIDOUT G.ONDEMAND GP.ONDEMAND | | - m[?] s[?] d[2]
Z.BUFRCVS G.BUFRCVS | | - s d[?]
Z.OPEN ZP.OPEN Z.CLOSE ZP.CLOSE | | - s m[?] d[2]
Z.BUFSND ZP.BUFSND | | - s m[?] s[?] d[2]
Z.BUFRCV ZP.BUFRCV | | - s m[?] d[?] d[2]
J.READ JP.READ G.READ GP.READ J.REQ JP.REQ G.REQ GP.REQ | | - m[?] s[?] d[?] d[2] / - m[?] s[?] d[?]
J.SREAD JP.SREAD G.SREAD GP.SREAD | | - m[?] s[?] d[?] d[2] d
J.WRITE JP.WRITE G.WRITE GP.WRITE D.DDWR DP.DDWR | | - m[?] s[?] d[?] d[2]
J.SWRITE JP.SWRITE G.SWRITE GP.SWRITE | | - m[?] s[?] d[?] d[2] d
D.DDRD DP.DDRD | | - m[?] s[?] d[?] d[2]
J.SEND JP.SEND G.SEND GP.SEND G.RIWT GP.RIWT G.RISEND GP.RISEND | | - m[?] s[?] d[2]
J.RECV JP.RECV G.RECV GP.RECV G.RIRD GP.RIRD G.RIRCV GP.RIRCV | | - m[?] d[?] d[2] / - m[?] d[?] s[?] d[2]
ZP.PSTRT1 ZP.PSTRT2 ZP.PSTRT3 ZP.PSTRT4 ZP.TEACH1 ZP.TEACH2 ZP.TEACH3 ZP.TEACH4 ZP.PFWRT ZP.PINIT | | - m[?] d[2]
Z.ABRST1 Z.ABRST2 Z.ABRST3 Z.ABRST4 ZP.ABRST1 ZP.ABRST2 ZP.ABRST3 ZP.ABRST4 | | - m[?] d[2]
G.CPRTCL GP.CPRTCL | | - s s m[?] d[2]

SP.DEVST | | s2 s[n] n d[2]
S.DEVLD SP.DEVLD | | s2 d[n] n
SP.FREAD | | - s m[?] s[?] d[?] d[2]
SP.FWRITE | | - s m[?] s[?] s[?] d[2]
SP.SOCOPEN | | - s m[10] d[2]
SP.SOCCLOSE | | - s m[2] d[2]
SP.SOCRCV | | - s m[2] d[?] d[2]
S.SOCRCVS | | - s d[?]
SP.SOCSND | | - s m[2] s[?] d[2]
"""

FX_TABLE = """
SORT | | s[?] n n d[?] n
SORT2 | D | s[?] n n d[?] n
SER | D P | s[n] s d[5] n
SUM | D P | s d
DBON | P | s2 d n2
SPD | D | s1 s d[3]
SEGL | | s[?] d[?] n
RBFM | | s s d[n] n k
WBFM | | s s s[n] n k
SQR | D P | s d
FLT | P | s d2
DINT | P | s2 d2
"""
"""Where an FX means something else by the same name."""

CONTACTS = ("LD", "AND", "OR")
COMPARISONS = ("=", "<>", "<=", ">=", "<", ">")
COMPARED = {
    "": "s1 s1",
    "D": "s2 s2",
    "E": "s2 s2",
    "ED": "s4 s4",
    "$": "s[?] s[?]",
    "DT": "s[3] s[3] n",
    "TM": "s[3] s[3] n",
}
"""What stands between the contact and the comparison, and the operands: LD=, ANDD<>, OR$=, …"""
