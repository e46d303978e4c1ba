"""What is said about uploaded files, in Korean: each English sentence, with its placeholders, and its translation."""

from collections.abc import Mapping

ARCHIVES: Mapping[str, str] = {
    "the archive": "압축 파일",
    "the archive's list of files": "압축 파일의 파일 목록",
    "entry {entry}": "{entry} 항목",
    "entry {entry} {reason}": "{entry} 항목: {reason}",
    "{what} is damaged: {reason}": "{what}에 손상이 있습니다: {reason}",
    "{what} is protected by a password": "{what}에 암호가 걸려 있습니다",
    "the archive unpacks to {size:,} bytes, more than the limit of {most:,}": (
        "압축 파일을 풀면 {size:,}바이트로, 한도인 {most:,}바이트를 넘습니다"
    ),
    "entry {entry} unpacks to more than the limit of {most:,} bytes": (
        "{entry} 항목을 풀면 한도인 {most:,}바이트를 넘습니다"
    ),
    "entry {entry} unpacks to more than {most} times its packed size": (
        "{entry} 항목을 풀면 압축된 크기의 {most}배를 넘습니다"
    ),
    "it is a folder with content": "폴더인데 내용이 들어 있습니다",
    "its two sizes differ though it is not packed": "압축하지 않은 항목인데 두 크기가 서로 다릅니다",
    "there is no file where the directory says": "목록이 가리키는 위치에 파일이 없습니다",
    "it reaches past the end of the files": "파일 영역의 끝을 넘어갑니다",
    "the directory and the file's own header contradict each other": "목록과 파일 자체의 헤더가 서로 맞지 않습니다",
    "bytes stand before it that belong to no file": "앞에 어느 파일에도 속하지 않는 데이터가 있습니다",
    "Pack the files into a new ZIP with Windows Explorer or 7-Zip and send that.": (
        "Windows 탐색기나 7-Zip으로 파일을 새 ZIP에 압축해서 보내세요."
    ),
    "Rename the file and pack it again.": "파일 이름을 바꾸고 다시 압축하세요.",
    "the archive is one part of several": "분할 압축 파일의 한 조각입니다",
    "Pack it into one single ZIP.": "하나의 ZIP 파일로 압축하세요.",
    "entry {entry} shares its bytes with another entry": "{entry} 항목이 다른 항목과 데이터를 공유합니다",
    "entry {entry} has an unsafe name: {reason}": "{entry} 항목의 이름이 안전하지 않습니다: {reason}",
    "the archive holds no files": "압축 파일에 파일이 없습니다",
    "Put the ladder CSVs into it.": "래더 CSV 파일을 넣으세요.",
    "the archive holds no ladder CSV": "압축 파일에 래더 CSV 파일이 없습니다",
    "Export each program body with 'Write to CSV File' and pack those files.": (
        "각 프로그램 본체를 'CSV 파일로 쓰기(Write to CSV File)'로 내보낸 뒤 그 파일들을 압축하세요."
    ),
    "the archive claims {count:,} entries, more than the limit of {most:,}": (
        "압축 파일의 항목이 {count:,}개로, 한도인 {most:,}개를 넘습니다"
    ),
    "Pack only the ladder CSVs that the template names.": "템플릿에 적힌 래더 CSV 파일만 압축하세요.",
    "Pack it again without a password.": "암호 없이 다시 압축하세요.",
    "entry {entry} has a name that is neither UTF-8 nor CP949": "{entry} 항목의 이름이 UTF-8도 CP949도 아닙니다",
    "entry {entry} is a link or a device, not a file": "{entry} 항목은 파일이 아니라 링크나 장치입니다",
    "Pack the file itself.": "파일 자체를 압축하세요.",
    "entry {entry} is packed by method {method}; only 0 (stored) and 8 (deflate) are read": (
        "{entry} 항목의 압축 방식은 {method}번입니다. 0번(무압축)과 8번(Deflate)만 읽습니다"
    ),
    "Pack it again with the method 'Deflate'.": "'Deflate' 방식으로 다시 압축하세요.",
    "entry {entry} has the same name as entry {other}": "{entry} 항목의 이름이 {other} 항목과 같습니다",
    "Keep one of the two; upper and lower case do not make two names.": (
        "둘 중 하나만 남기세요. 대문자와 소문자는 구별하지 않습니다."
    ),
    "entry {entry} needs the folder {other}, which is a file in the same archive": (
        "{entry} 항목에는 {other} 폴더가 필요하지만, 같은 압축 파일에서 그것은 파일입니다"
    ),
    "Rename one of the two.": "둘 중 하나의 이름을 바꾸세요.",
    "entry {entry} is itself an archive": "{entry} 항목이 압축 파일입니다",
    "Unpack it and pack its files directly.": "압축을 풀고 그 안의 파일을 바로 압축하세요.",
    "has a name of more than {most} bytes": "이름이 {most}바이트보다 깁니다",
    "lies {depth} levels deep, deeper than {most}": "폴더 깊이가 {depth}단계로, 한도인 {most}단계를 넘습니다",
    "it holds a NUL character": "NUL 문자가 들어 있습니다",
    "its path is absolute or has empty, '.' or '..' parts": (
        "절대 경로이거나, 경로에 빈 부분 또는 '.'이나 '..'이 있습니다"
    ),
    "it holds a backslash or a colon": "백슬래시나 콜론이 들어 있습니다",
    "it holds control or invisible characters": "제어 문자나 보이지 않는 문자가 들어 있습니다",
    "a part of it ends in a dot or a blank": "경로의 한 부분이 점이나 공백으로 끝납니다",
    "a part of it is the name of a Windows device": "경로의 한 부분이 Windows 장치 이름입니다",
    "and {count:,} more entries are refused": "그 밖에 {count:,}개 항목도 받을 수 없습니다",
    "{count} files of the operating system are ignored, such as {entry}": (
        "{entry} 등 운영 체제가 만든 파일 {count}개는 무시합니다"
    ),
    "entry {entry} is no CSV and is left out": "{entry} 항목은 CSV가 아니어서 제외합니다",
    "Nothing needs to be done.": "아무것도 하지 않아도 됩니다.",
    "it is shorter than the directory says": "목록에 적힌 크기보다 짧습니다",
    "it is longer than the directory says": "목록에 적힌 크기보다 깁니다",
    "its checksum does not fit its content": "체크섬이 내용과 맞지 않습니다",
    "bytes follow its end": "끝 뒤에 데이터가 더 있습니다",
    "it breaks off": "중간에 끊겨 있습니다",
    "it cannot be unpacked": "압축을 풀 수 없습니다",
    "its end is missing, or bytes follow it": "끝부분이 없거나, 그 뒤에 데이터가 더 있습니다",
    "its end record contradicts itself": "끝 레코드의 값이 서로 맞지 않습니다",
    "bytes stand before or in it that belong to no file, or parts are missing": (
        "앞이나 중간에 어느 파일에도 속하지 않는 데이터가 있거나, 빠진 부분이 있습니다"
    ),
    "its end record lies outside of it": "끝 레코드가 파일 밖을 가리킵니다",
    "its end record is damaged": "끝 레코드가 손상되었습니다",
    "its two end records contradict each other": "두 끝 레코드가 서로 맞지 않습니다",
    "it claims {claimed:,} entries and lists {count:,}": (
        "항목이 {claimed:,}개라고 하지만 목록에는 {count:,}개가 있습니다"
    ),
    "its list of files breaks off after {count:,} entries": "파일 목록이 {count:,}개 항목 뒤에서 끊겨 있습니다",
    "a second archive hides in its comment": "주석에 다른 압축 파일이 숨어 있습니다",
}

WORKBOOKS: Mapping[str, str] = {
    "the workbook is damaged: {reason}": "통합 문서에 손상이 있습니다: {reason}",
    "the workbook is too large: {reason}": "통합 문서가 너무 큽니다: {reason}",
    "Open it in Excel, save it as a new .xlsx and send that.": "Excel에서 열어 새 .xlsx 파일로 저장해서 보내세요.",
    "Keep one small sheet with the rows of the template; delete empty formatted rows and columns.": (
        "템플릿의 행만 있는 작은 시트 하나만 남기고, 서식만 있는 빈 행과 열은 지우세요."
    ),
    "part {part} of the workbook declares a document type": (
        "통합 문서의 {part} 부분에 문서 형식(DOCTYPE) 선언이 있습니다"
    ),
    "the workbook is protected by a password, or it is no workbook": (
        "통합 문서에 암호가 걸려 있거나, 통합 문서가 아닙니다"
    ),
    "Remove the password in Excel and save it as .xlsx.": "Excel에서 암호를 지우고 .xlsx로 저장하세요.",
    "the file's content is not that of a workbook of this kind": "파일 내용이 이 형식의 통합 문서가 아닙니다",
    "Save it again from Excel, instead of renaming it.": "이름만 바꾸지 말고 Excel에서 다시 저장하세요.",
    "workbooks with macros and binary workbooks are not read": (
        "매크로가 있거나 바이너리 형식인 통합 문서는 읽지 않습니다"
    ),
    "Save it as .xlsx.": ".xlsx로 저장하세요.",
    "cell {cell}": "{cell} 셀",
    "shared text {number}": "{number}번째 공유 문자열",
    "cell {cell} holds a number or date that is none": "{cell} 셀의 값이 올바른 숫자나 날짜가 아닙니다",
    "Type it again.": "다시 입력하세요.",
    "{place} holds more than {most:,} characters": "{place}의 글자 수가 {most:,}자를 넘습니다",
    "Shorten the text.": "텍스트를 줄이세요.",
    "it has no visible worksheet": "보이는 워크시트가 없습니다",
    "it has more than {most} sheets": "시트가 {most}개보다 많습니다",
    "its sheet has {rows:,} rows and {columns:,} columns": "시트가 {rows:,}행 {columns:,}열입니다",
    "it cannot be read": "읽을 수 없습니다",
    "it uses the name '{name}' twice": "'{name}' 이름을 두 번 씁니다",
    "its part {part} is missing": "{part} 부분이 없습니다",
    "it has a row {row:,}, beyond the limit of {most:,}": "{row:,}행이 있어, 한도인 {most:,}행을 넘습니다",
    "it has a column {column:,}, beyond the limit of {most}": "{column:,}열이 있어, 한도인 {most}열을 넘습니다",
    "its used range has more than {most:,} cells": "사용된 범위의 셀이 {most:,}개보다 많습니다",
    "cell {cell} is out of order": "{cell} 셀의 순서가 맞지 않습니다",
    "there is no row '{row}'": "'{row}'라는 행은 있을 수 없습니다",
    "row {row} comes after row {last}": "{last}행 뒤에 {row}행이 나옵니다",
    "row {row} holds a cell '{cell}'": "{row}행에 '{cell}' 셀이 있습니다",
    "cell {cell} names a shared text that is not there": "{cell} 셀이 없는 공유 문자열을 가리킵니다",
    "part {part} has {size:,} bytes, more than {most:,}": "{part} 부분이 {size:,}바이트로, {most:,}바이트를 넘습니다",
    "part {part} has a tag of more than {most:,} bytes": "{part} 부분에 {most:,}바이트를 넘는 태그가 있습니다",
    "part {part} is no XML at line {line}": "{part} 부분의 {line}번째 줄이 XML이 아닙니다",
    "part {part} is XML {version} in {encoding}, not XML 1.0 in UTF-8": (
        "{part} 부분이 UTF-8의 XML 1.0이 아니라 {encoding}의 XML {version}입니다"
    ),
    "part {part} is UTF-16, where workbooks are UTF-8": "{part} 부분이 UTF-16입니다. 통합 문서는 UTF-8이어야 합니다",
}

TEMPLATES: Mapping[str, str] = {
    "missing: {missing}": "없는 열: {missing}",
    "twice: {double}": "두 번 나온 열: {double}",
    "missing: {missing}; twice: {double}": "없는 열: {missing}, 두 번 나온 열: {double}",
    "the header row must name each of {names} once; {wrong}": (
        "헤더 행에는 다음 열이 각각 한 번씩 있어야 합니다: {names}. {wrong}"
    ),
    "Correct the header row of the first sheet.": "첫 번째 시트의 헤더 행을 고치세요.",
    "columns that are not read: {names}": "읽지 않는 열: {names}",
    "the template has a header but no rows": "템플릿에 헤더만 있고 행이 없습니다",
    "Add a row for each logic.": "로직마다 행을 하나씩 추가하세요.",
    "the Logic ID is blank": "Logic ID가 비어 있습니다",
    "Enter the name of the logic's CSV, or delete the row.": "로직의 CSV 파일 이름을 입력하거나, 행을 지우세요.",
    "Logic ID '{logic_id}' stands in row {row} already": "Logic ID '{logic_id}'는(은) 이미 {row}행에 있습니다",
    "Give each logic an ID of its own; upper and lower case do not make two.": (
        "로직마다 서로 다른 ID를 쓰세요. 대문자와 소문자는 구별하지 않습니다."
    ),
    "'{column}' has more than {most:,} characters": "'{column}' 열의 글자 수가 {most:,}자를 넘습니다",
    "Shorten it.": "짧게 줄이세요.",
    "'{column}' holds U+{code:04X}, which is no character of a text": (
        "'{column}' 열에 텍스트 문자가 아닌 U+{code:04X} 코드가 있습니다"
    ),
    "Type the cell again.": "셀을 다시 입력하세요.",
    "logic '{logic_id}' has no ladder CSV in the ZIP": "'{logic_id}' 로직의 래더 CSV 파일이 ZIP에 없습니다",
    "The ZIP holds '{path}': is it meant? Logic ID and file name must agree; "
    "format the Logic ID column as text, so that leading zeros stay.": (
        "ZIP에 '{path}' 파일이 있습니다. 이 파일인가요? Logic ID와 파일 이름이 같아야 합니다."
        " 앞자리 0이 지워지지 않도록 Logic ID 열의 서식을 텍스트로 지정하세요."
    ),
    "Add '{logic_id}.csv' to the ZIP, or remove the row.": "ZIP에 '{logic_id}.csv' 파일을 추가하거나, 행을 지우세요.",
    "logic '{logic_id}' has {count} files: {paths}": "'{logic_id}' 로직의 파일이 {count}개입니다: {paths}",
    "Keep the one that is meant.": "맞는 파일 하나만 남기세요.",
    "'{path}' is not named in the template and is left out": "'{path}' 파일은 템플릿에 없어서 제외합니다",
    "Add a row with this Logic ID to the template if it belongs to the program.": (
        "이 프로그램의 파일이면 템플릿에 이 Logic ID의 행을 추가하세요."
    ),
    "and {count:,} more of this kind, up to here": "여기까지 같은 문제가 {count:,}건 더 있습니다",
    "Correct those that are listed first.": "먼저 나온 문제부터 고치세요.",
}

CSVS: Mapping[str, str] = {
    "byte {byte} (line {line}) is not {encoding}": (
        "{byte}번째 바이트({line}번째 줄)의 인코딩이 다음에 맞지 않습니다: {encoding}"
    ),
    "UTF-8, cp949 or cp932": "UTF-8, cp949, cp932",
    "Export it again from GX Works, or save it as UTF-8.": "GX Works에서 다시 내보내거나, UTF-8로 저장하세요.",
    "byte {byte} (line {line}) is half of a surrogate pair, which is no character": (
        "{byte}번째 바이트({line}번째 줄)에 반쪽짜리 서로게이트가 있습니다. 이것은 문자가 아닙니다"
    ),
    "Type the cell again, or export the file again.": "셀을 다시 입력하거나, 파일을 다시 내보내세요.",
    "line {line} holds a NUL byte": "{line}번째 줄에 NUL 바이트가 있습니다",
    "line {line} holds U+{code:04X}, which is no character": "{line}번째 줄에 문자가 아닌 U+{code:04X} 코드가 있습니다",
    "The file is binary or damaged: export it again.": "바이너리 파일이거나 손상된 파일입니다. 다시 내보내세요.",
    "line {line}: a quote is not closed, or text follows a closing quote": (
        "{line}번째 줄: 따옴표가 닫히지 않았거나, 닫는 따옴표 뒤에 글자가 있습니다"
    ),
    "Close the quote, or export the file again.": "따옴표를 닫거나, 파일을 다시 내보내세요.",
    "more than {most:,} rows": "행이 {most:,}개보다 많습니다",
    "Split the program.": "프로그램을 나누세요.",
    "row {row} has {columns:,} columns, more than {most}": "{row}행의 열이 {columns:,}개로, 한도인 {most}개를 넘습니다",
    "Remove them.": "남는 열을 지우세요.",
    "row {row} has a cell of more than {most:,} characters": "{row}행에 {most:,}자를 넘는 셀이 있습니다",
    "A quote may be missing; export the file again.": "따옴표가 빠졌을 수 있습니다. 파일을 다시 내보내세요.",
    "the file holds no row": "파일에 행이 없습니다",
    "only a header": "헤더만 있습니다",
    "Export the program body again.": "프로그램 본체를 다시 내보내세요.",
    "Export the device comments again.": "디바이스 코멘트를 다시 내보내세요.",
    "no header row 'Step No., Line Statement, Instruction, …' in the first {rows} rows": (
        "처음 {rows}행 안에 'Step No., Line Statement, Instruction, …' 헤더 행이 없습니다"
    ),
    "Export a ladder program with 'Write to CSV File'; label lists and device comments are no ladder.": (
        "래더 프로그램을 'CSV 파일로 쓰기(Write to CSV File)'로 내보내세요."
        " 라벨 목록과 디바이스 코멘트는 래더가 아닙니다."
    ),
    "the listing holds no instruction": "목록에 명령이 없습니다",
    "Export the program body again; an empty program still ends with END.": (
        "프로그램 본체를 다시 내보내세요. 빈 프로그램이라도 END로 끝납니다."
    ),
    "row {row} is a second header: two exports stand in one file": (
        "{row}행에 헤더가 또 있습니다. 한 파일에 내보내기 결과가 둘 들어 있습니다"
    ),
    "Keep one export per file.": "파일 하나에 내보내기 결과를 하나만 두세요.",
    "no header row with a device and a comment column in the first {rows} rows": (
        "처음 {rows}행 안에 디바이스 열과 코멘트 열이 있는 헤더 행이 없습니다"
    ),
    "Export the device comments from GX Works: 'Device Name, Comment'.": (
        "GX Works에서 디바이스 코멘트를 'Device Name, Comment' 형식으로 내보내세요."
    ),
    "row {row} has {fields} fields, its header {width}": "{row}행의 필드는 {fields}개인데, 헤더는 {width}개입니다",
    "Quote comments that hold the delimiter.": "구분 문자가 들어 있는 코멘트는 따옴표로 묶으세요.",
    "the CSV has {size:,} bytes, more than the limit of {most:,}": (
        "CSV 파일이 {size:,}바이트로, 한도인 {most:,}바이트를 넘습니다"
    ),
    "Split the program body, or export it without the empty rows.": (
        "프로그램 본체를 나누거나, 빈 행 없이 내보내세요."
    ),
}

WHOLE_FILES: Mapping[str, str] = {
    "a ZIP archive": "ZIP 압축 파일",
    "an Excel workbook": "Excel 통합 문서",
    "a CSV file": "CSV 파일",
    "what goes into {field}": "{field} 필드에 맞는 파일",
    "no suffix": "확장자 없음",
    "'{suffix}' is not read here: {what} is expected ({suffixes})": (
        "'{suffix}' 형식은 여기서 읽지 않습니다. 필요한 것은 {what}입니다({suffixes})"
    ),
    "Save it as .xlsx, without macros.": "매크로 없이 .xlsx로 저장하세요.",
    "Send the right file in this field.": "이 필드에 맞는 파일을 보내세요.",
    "the file is named {suffix}, but its content is not that of {what} of this kind": (
        "확장자는 {suffix}이지만, 내용이 이 형식에 맞지 않습니다({what})"
    ),
    "Save it again from the program that made it, instead of renaming it.": (
        "이름만 바꾸지 말고, 파일을 만든 프로그램에서 다시 저장하세요."
    ),
    "the file is empty": "파일이 비어 있습니다",
    "Send the file again.": "파일을 다시 보내세요.",
    "the file has {size:,} bytes, more than the limit of {most:,}": (
        "파일이 {size:,}바이트로, 한도인 {most:,}바이트를 넘습니다"
    ),
    "Send at most {most:g} MiB; leave out what does not belong to the program.": (
        "{most:g} MiB 이하로 보내세요. 프로그램과 관계없는 것은 빼세요."
    ),
    "the file could not be read within the limits: {reason}": "한도 안에서 파일을 읽지 못했습니다: {reason}",
    "reading it ran out of {limit}": "읽는 중에 한도를 넘었습니다({limit})",
    "CPU time": "CPU 시간",
    "memory": "메모리",
    "time": "시간",
    "luck: the reader broke down over it": "읽는 프로세스가 비정상 종료됨",
    "Export or save the file again, smaller; no file that the PLC tools write needs so much.": (
        "파일을 더 작게 다시 내보내거나 저장하세요. PLC 툴이 만드는 파일은 이만큼 필요하지 않습니다."
    ),
}

FURTHER: Mapping[str, str] = {
    "a table, a text or a PDF": "표, 텍스트, PDF 중 하나",
    "the file is named {suffix}, but its content is of another kind": (
        "파일 이름은 {suffix}이지만 내용은 다른 종류입니다"
    ),
    "its text has {said:,} characters, more than {most:,} passages hold": (
        "텍스트가 {said:,}자로, 단락 {most:,}개에 담을 수 있는 것보다 깁니다"
    ),
    "to read it takes far more than a PDF of its size should": "읽는 데 PDF의 크기에 비해 너무 많은 자원이 듭니다",
    "it has more than {most:,} cells": "셀이 {most:,}개를 넘습니다",
    "its text is longer than {most:,} passages, which end at {place}": (
        "텍스트가 {most:,}단락을 넘습니다. {place}에서 한도에 이릅니다"
    ),
    "Split the document and send its parts.": "문서를 나누어 부분별로 보내세요.",
    "it holds no text that could be found": "검색할 수 있는 텍스트가 없습니다",
    "Of a scan, send what text recognition made of it.": "스캔한 문서는 문자 인식(OCR)을 거친 것을 보내세요.",
    "it has {count:,} pages, more than {most:,}": "페이지가 {count:,}쪽으로, {most:,}쪽을 넘습니다",
    "the PDF is damaged or contradicts itself": "PDF에 손상이나 모순이 있습니다",
    "Print it into a new PDF and send that.": "새 PDF로 인쇄해서 보내세요.",
    "its fonts are in an encoding that is not read here: {name}": "여기서 읽지 못하는 인코딩의 글꼴입니다: {name}",
    "Print it into a new PDF and send that, or its text as .txt.": (
        "새 PDF로 인쇄해서 보내거나 텍스트를 .txt로 보내세요."
    ),
    "the PDF is protected": "PDF가 보호되어 있습니다",
    "Save it without a password and without restrictions.": "암호와 제한 없이 저장하세요.",
    "sheet {sheet} has {rows:,} rows": "{sheet} 시트의 행이 {rows:,}개입니다",
}

DEVICES: Mapping[str, str] = {
    "{file}, step {step}": "{file}, 스텝 {step}",
    "{count} OUT drive {device}: {first}, …, {last}": "{device}에 OUT이 {count}개 있습니다: {first}, …, {last}",
    "The last one wins in every scan: keep one, or use SET and RST.": (
        "스캔마다 마지막 OUT의 결과만 남습니다. 하나만 두거나 SET과 RST를 쓰세요."
    ),
    "nothing reads {device}, which is written: {first}": "쓰기만 하고 읽지 않는 디바이스 {device}: {first}",
    "Remove it if no panel and no other CPU reads it.": "HMI나 다른 CPU가 읽지 않으면 지우세요.",
    "nothing writes {device}, which is read: {first}": "읽기만 하고 쓰지 않는 디바이스 {device}: {first}",
    "Write it, if no panel and no other CPU does.": "HMI나 다른 CPU가 쓰지 않으면 쓰는 곳을 추가하세요.",
    "{device} has no comment: {first}": "코멘트가 없는 디바이스 {device}: {first}",
    "Add it to the device comments and upload them again.": "디바이스 코멘트에 추가해서 다시 업로드하세요.",
    "no ladder has the label {device}, which is jumped to: {first}": (
        "어느 래더에도 없는 포인터 {device}로 점프합니다: {first}"
    ),
    "Add the ladder that has it, or name the right label.": "그 포인터가 있는 래더를 추가하거나, 맞는 포인터를 쓰세요.",
    "nothing jumps to the label {device}: {first}": "포인터 {device}로 점프하는 곳이 없습니다: {first}",
    "Remove it if nothing else calls it.": "다른 곳에서 부르지 않으면 지우세요.",
}

SENTENCES: Mapping[str, str] = {**ARCHIVES, **WORKBOOKS, **TEMPLATES, **CSVS, **WHOLE_FILES, **DEVICES, **FURTHER}
