"""Which tests stand for which case of the bad-input corpus, and what each case must be answered.

The checker (target.py) looks up here what a case may be answered, so that no test can expect anything else;
test_table.py holds the table to the tests that there are; and a run of the whole folder fails where a listed answer
was never given.

What holds for all of them: the readers of archives, workbooks and CSVs run in killable children with limits of CPU,
memory and time (ADR 5; tests/integration/test_limited_process.py and test_upload_reader.py). Nothing is exported as
CSV or XLSX: what is downloaded is what was uploaded, byte for byte, so there is nothing to escape formulas in (78, 93).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Refusal = tuple[str, int]
"""A code and its status."""

CORPUS_CASES = 106
"""The corpus ends there; what follows came with further documents and webhooks."""

CASES = 131
_NUMBERED = re.compile(r"test_\d{3}_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One bad input.

    `refusals` are the answers that it may get, each of which some test must see; `seen` is what happens where it is
    taken, or where there is nobody to answer; `differs` says why the answer is not the one that the corpus lists;
    `open` what no test shows.
    """

    input: str
    refusals: frozenset[Refusal] = frozenset()
    seen: str = ""
    tests: tuple[str, ...] = ()
    differs: str = ""
    open: str = ""

    @property
    def tests_here(self) -> tuple[str, ...]:
        """Those that send it to the running service."""
        return tuple(test for test in self.tests if _NUMBERED.match(test))

    @property
    def is_shown_elsewhere(self) -> bool:
        """Whether other tests alone show it, such as what takes half a minute of a real server's time."""
        return not self.tests_here


def _as(status: int, *codes: str) -> frozenset[Refusal]:
    return frozenset((code, status) for code in codes)


MATRIX: Mapping[int, Case] = {
    1: Case(
        input="no file part",
        refusals=_as(422, "file_missing"),
        tests=("test_001_a_form_without_a_file",),
    ),
    2: Case(
        input="two file parts where one is allowed",
        refusals=_as(422, "too_many_files"),
        tests=("test_002_two_files_where_one_is_due",),
    ),
    3: Case(
        input="empty file, 0 bytes",
        refusals=_as(422, "file_empty"),
        tests=("test_003_an_empty_file",),
    ),
    4: Case(
        input="Content-Length 101 MiB",
        refusals=_as(413, "too_large"),
        tests=(
            "test_004_a_length_over_the_limit_is_refused_before_the_body",
            "test_an_announced_length_over_the_limit_is_refused_before_the_body",
        ),
    ),
    5: Case(
        input="chunked body with no length, over the limit",
        refusals=_as(413, "too_large"),
        tests=(
            "test_005_a_body_without_a_length_is_cut_at_the_limit",
            "test_a_body_of_unknown_length_is_cut_at_the_limit",
        ),
    ),
    6: Case(
        input="Content-Length smaller / larger than the body",
        refusals=_as(400, "multipart_malformed", "request_invalid"),
        seen="where the body is shorter than announced the connection is closed, and nothing is stored",
        tests=("test_006_a_length_that_is_not_the_bodys",),
        differs="longer than announced, it ends within an unclosed form. A length that is no number: no HTTP",
    ),
    7: Case(
        input="boundary missing",
        refusals=_as(400, "multipart_malformed"),
        tests=("test_007_no_boundary",),
    ),
    8: Case(
        input="boundary never closed",
        refusals=_as(400, "multipart_malformed"),
        tests=("test_008_a_boundary_that_is_never_closed",),
    ),
    9: Case(
        input="boundary of 10,000 characters; boundary with CR LF",
        refusals=_as(400, "multipart_malformed", "request_invalid"),
        tests=("test_009_a_boundary_that_is_none",),
        differs="a line break in the header makes the bytes no HTTP request, which has the same status",
    ),
    10: Case(
        input="10,000 tiny fields",
        refusals=_as(400, "too_many_fields"),
        tests=("test_010_ten_thousand_fields",),
    ),
    11: Case(
        input="one field (not file) of 50 MiB, multipart and urlencoded",
        refusals=_as(400, "field_too_large") | _as(415, "media_type_unsupported"),
        tests=("test_011_a_field_of_fifty_megabytes",),
        differs="a body of another type than multipart/form-data is not read at all, so its size does not matter",
    ),
    12: Case(
        input="5,000 headers in one part; one part header of 1 MiB",
        refusals=_as(400, "multipart_malformed"),
        tests=("test_012_part_headers_without_end",),
    ),
    13: Case(
        input="10 MiB preamble of CRLF or dashes",
        refusals=_as(400, "multipart_malformed"),
        tests=("test_013_a_preamble_of_ten_megabytes_costs_no_time",),
    ),
    14: Case(
        input="filename missing / empty / only dots / 300 bytes / 10 KB",
        refusals=_as(422, "filename_invalid"),
        tests=("test_014_a_file_without_a_usable_name",),
    ),
    15: Case(
        input="filename `../../etc/passwd`, `C:\\x`, `a\\0.zip`, `a\\r\\nX: y`",
        refusals=_as(422, "filename_invalid"),
        seen="a path is cut to its last part, which is shown; the blob has a key of our own",
        tests=(
            "test_015_a_path_as_file_name_is_no_path",
            "test_015_a_file_name_with_control_characters_is_none",
        ),
    ),
    16: Case(
        input="filename in filename*=UTF-8'' and different filename=",
        refusals=_as(422, "filename_invalid"),
        tests=("test_016_two_file_names_that_disagree",),
    ),
    17: Case(
        input="Korean NFD filename (macOS)",
        seen="names are shown NFC; a search scope in either spelling finds them",
        tests=(
            "test_017_a_korean_name_from_a_mac",
            "test_a_scope_is_found_in_both_spellings",
        ),
    ),
    18: Case(
        input="bidi override `cod\\u202Egnp.exe`, zero-width",
        refusals=_as(422, "filename_invalid"),
        tests=("test_018_a_name_that_shows_something_else",),
    ),
    19: Case(
        input="Content-Type image/png with ZIP bytes",
        refusals=_as(415, "type_mismatch"),
        tests=("test_019_a_declared_type_that_cannot_be_the_files",),
    ),
    20: Case(
        input=".zip with PDF bytes; .xlsx with plain ZIP; .csv with a ZIP",
        refusals=_as(415, "type_mismatch"),
        tests=("test_020_content_that_is_not_what_the_name_says",),
    ),
    21: Case(
        input="Content-Encoding: gzip body",
        refusals=_as(415, "encoding_unsupported"),
        tests=("test_021_a_compressed_body",),
    ),
    22: Case(
        input="slow loris: 1 byte/s",
        refusals=_as(408, "request_timeout"),
        tests=(
            "test_a_body_that_drips_is_not_waited_for",
            "test_a_silent_client_is_not_waited_for_for_ever",
            "test_a_head_that_drips_is_answered_and_its_connection_closed",
            "test_a_body_that_drips_on_after_its_answer_loses_its_connection",
            "test_a_connection_on_which_nothing_comes_is_closed",
            "test_a_body_that_comes_byte_by_byte_is_a_408_and_the_connection_ends",
            "test_a_slow_body_gives_its_place_back",
        ),
    ),
    23: Case(
        input="client aborts at 99 %",
        seen="the connection is gone; no row, no blob and no scratch file is left",
        tests=(
            "test_023_a_client_that_goes_away_at_the_end",
            "test_clients_that_leave_in_the_middle_of_an_upload_leave_nothing",
        ),
    ),
    24: Case(
        input="no key / wrong key / key of other tenant's document",
        refusals=_as(401, "unauthenticated"),
        tests=("test_024_no_key_or_a_wrong_one",),
        differs="there are no tenants: whoever may read reads every program (ADR 19). No code is listed",
    ),
    25: Case(
        input="same Idempotency-Key, other file",
        refusals=_as(409, "idempotency_conflict"),
        seen="the first request under the key is registered",
        tests=(
            "test_025_the_same_key_for_another_file",
            "test_another_request_under_the_key_is_a_conflict",
        ),
    ),
    26: Case(
        input="truncated at every 100th byte",
        refusals=_as(422, "zip_corrupt"),
        tests=(
            "test_026_an_archive_that_breaks_off",
            "test_every_truncation_of_a_good_archive_is_corrupt",
        ),
    ),
    27: Case(
        input="EOCD only (empty archive)",
        refusals=_as(422, "zip_empty"),
        tests=("test_027_an_archive_of_nothing",),
    ),
    28: Case(
        input="only directories or only __MACOSX/.DS_Store",
        refusals=_as(422, "zip_no_documents"),
        tests=("test_028_an_archive_without_a_document",),
    ),
    29: Case(
        input="entry `../x`",
        refusals=_as(422, "zip_unsafe_path"),
        tests=("test_029_an_entry_above_its_folder",),
    ),
    30: Case(
        input="entry `/etc/x`, `\\\\server\\x`, `C:\\x`, `C:x`",
        refusals=_as(422, "zip_unsafe_path"),
        tests=("test_030_an_absolute_entry",),
    ),
    31: Case(
        input="entry `a/../../x`, `a//b`, `./x`, backslash as separator",
        refusals=_as(422, "zip_unsafe_path"),
        tests=("test_031_an_entry_with_odd_parts",),
    ),
    32: Case(
        input="NUL in a name (zipfile would cut it)",
        refusals=_as(422, "zip_unsafe_path"),
        tests=("test_032_a_nul_in_a_name",),
    ),
    33: Case(
        input="name of 65,535 bytes; path of 200 levels",
        refusals=_as(422, "zip_name_too_long"),
        tests=("test_033_a_name_too_long_or_too_deep",),
    ),
    34: Case(
        input="Windows device names CON, NUL.txt, trailing dot or space",
        refusals=_as(422, "zip_unsafe_path"),
        tests=("test_034_a_name_that_windows_cannot_have",),
    ),
    35: Case(
        input="symlink, device, FIFO by mode bits",
        refusals=_as(422, "zip_special_file"),
        tests=("test_035_links_devices_and_pipes",),
    ),
    36: Case(
        input="exact duplicate names",
        refusals=_as(422, "zip_duplicate_name"),
        tests=("test_036_a_name_twice",),
    ),
    37: Case(
        input="duplicates after NFC, case folding, CP949 decoding",
        refusals=_as(422, "zip_duplicate_name"),
        tests=("test_037_two_spellings_of_one_name",),
    ),
    38: Case(
        input="`a` as file and `a/b`",
        refusals=_as(422, "zip_path_conflict"),
        tests=("test_038_a_file_where_a_folder_is_needed",),
    ),
    39: Case(
        input="directory entry with content",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_039_a_folder_with_content",),
    ),
    40: Case(
        input="encrypted: ZipCrypto; AES (method 99); encrypted central directory",
        refusals=_as(422, "zip_encrypted"),
        tests=("test_040_an_encrypted_archive",),
    ),
    41: Case(
        input="method LZMA, BZIP2, Deflate64, Zstd, PPMd, 0xFFFF",
        refusals=_as(422, "zip_method_unsupported"),
        tests=("test_041_a_method_that_is_not_read",),
    ),
    42: Case(
        input="CRC wrong",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_042_a_wrong_checksum",),
    ),
    43: Case(
        input="declared size smaller than real",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_043_and_044_a_declared_size_that_is_not_the_real_one",),
    ),
    44: Case(
        input="declared size larger than real (zipfile accepts it)",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_043_and_044_a_declared_size_that_is_not_the_real_one",),
    ),
    45: Case(
        input="compressed size reaching past the end",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_045_a_size_that_reaches_past_the_end",),
    ),
    46: Case(
        input="plain bomb: 10 GB of zeros, ratio ~1028",
        refusals=_as(422, "zip_bomb"),
        tests=(
            "test_046_a_plain_bomb",
            "test_46_a_bomb_is_refused_before_a_byte_is_unpacked",
        ),
    ),
    47: Case(
        input="full overlap, same name x 100",
        refusals=_as(422, "zip_overlap"),
        tests=("test_047_a_hundred_entries_on_the_same_bytes",),
    ),
    48: Case(
        input="quoted overlap (Fifield), 6 KB -> 100 MB",
        refusals=_as(422, "zip_overlap"),
        tests=("test_048_quoted_overlap",),
    ),
    49: Case(
        input="5,001 entries; 70,000 empty entries; Zip64 claiming 2^32",
        refusals=_as(422, "zip_too_many_entries"),
        tests=(
            "test_049_too_many_entries",
            "test_049_a_count_that_claims_too_many",
        ),
    ),
    50: Case(
        input="sum of sizes over the limit though each is small",
        refusals=_as(422, "zip_bomb"),
        tests=("test_050_a_sum_over_the_limit",),
    ),
    51: Case(
        input="nested ZIP; 42.zip; quine",
        refusals=_as(422, "zip_nested"),
        tests=("test_051_an_archive_in_the_archive",),
    ),
    52: Case(
        input="local header's name, flags or sizes differ from the central ones",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_052_headers_that_contradict_each_other",),
    ),
    53: Case(
        input="EOCD count differs from the central directory",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_053_an_end_record_that_miscounts",),
    ),
    54: Case(
        input="junk before (PDF or EXE polyglot), junk after",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_054_bytes_before_and_behind",),
    ),
    55: Case(
        input="second archive inside the comment; two EOCDs",
        refusals=_as(422, "zip_corrupt"),
        tests=("test_055_a_second_archive",),
    ),
    56: Case(
        input="multi-disk / spanned",
        refusals=_as(422, "zip_unsupported"),
        tests=("test_056_one_part_of_several",),
    ),
    57: Case(
        input="name in CP949 without flag",
        seen="the Korean name is shown",
        tests=("test_057_and_058_a_korean_name_as_packers_write_it",),
    ),
    58: Case(
        input="raw UTF-8 without flag; Info-ZIP unicode path extra field 0x7075",
        seen="the name is right; a Unicode path with a wrong checksum, or cut off, is ignored",
        tests=("test_057_and_058_a_korean_name_as_packers_write_it",),
    ),
    59: Case(
        input="flag 0x800 with bytes that are not UTF-8",
        refusals=_as(422, "zip_name_encoding"),
        tests=("test_059_a_name_that_is_not_the_utf8_it_claims",),
    ),
    60: Case(
        input="data descriptors (bit 3), size 0 in the local header",
        seen="it is registered",
        tests=("test_060_an_archive_written_as_a_stream",),
    ),
    61: Case(
        input="date 1980-00-00 or month 15",
        seen="it is registered, the date is read by nobody",
        tests=("test_061_a_date_that_is_none",),
    ),
    62: Case(
        input="one good and one bad document inside",
        refusals=_as(422, "zip_unsafe_path"),
        tests=("test_062_good_and_bad_entries_are_all_or_nothing_and_every_bad_one_is_named",),
        differs="no code is listed: the bad entries' own",
    ),
    63: Case(
        input="OLE2 (.xls, or password-protected .xlsx)",
        refusals=_as(422, "xlsx_encrypted_or_legacy"),
        seen="a genuine legacy workbook is a template",
        tests=("test_063_ole2",),
    ),
    64: Case(
        input=".xlsm with macros; .xlsb",
        refusals=_as(415, "type_unsupported"),
        tests=("test_064_macros_and_binary_workbooks",),
    ),
    65: Case(
        input="no [Content_Types].xml; no workbook.xml; missing sheet part",
        refusals=_as(422, "xlsx_corrupt"),
        tests=("test_065_a_missing_part",),
    ),
    66: Case(
        input="billion laughs",
        refusals=_as(422, "xml_forbidden"),
        tests=(
            "test_066_billion_laughs",
            "test_the_readers_load_no_xml_parser_but_the_one_that_refuses_declarations",
        ),
    ),
    67: Case(
        input="quadratic blow-up of 7 MB, under expat's threshold",
        refusals=_as(422, "xml_forbidden"),
        tests=("test_067_quadratic_blow_up",),
    ),
    68: Case(
        input="XXE file:// and http:// (a loopback listener must see nothing)",
        refusals=_as(422, "xml_forbidden"),
        tests=("test_068_external_entities_are_never_fetched",),
    ),
    69: Case(
        input="DTD with no entities; XInclude; external relationship or linked workbook",
        refusals=_as(422, "xml_forbidden"),
        seen="XInclude and external relationships are parts that nobody follows: a listener hears nothing",
        tests=("test_069_declarations_and_links",),
    ),
    70: Case(
        input="dimension A1:XFD1048576 with one cell",
        seen="one row is read, the claimed dimension is not believed",
        tests=("test_070_a_dimension_that_claims_the_whole_sheet",),
    ),
    71: Case(
        input="one cell at XFD1048576; row 99999999; row 0; column ZZZZ",
        refusals=_as(422, "xlsx_too_large", "xlsx_corrupt"),
        tests=("test_071_a_cell_at_the_end_of_the_world",),
    ),
    72: Case(
        input="no `r` attributes; rows out of order; duplicate row numbers",
        refusals=_as(422, "xlsx_corrupt"),
        seen="rows and cells without numbers count themselves",
        tests=("test_072_rows_without_numbers_or_out_of_order",),
    ),
    73: Case(
        input="shared-string index out of range",
        refusals=_as(422, "xlsx_corrupt"),
        tests=("test_073_a_shared_text_that_is_not_there",),
    ),
    74: Case(
        input="number that is no number; bad date; date 1900-02-29; 1904 mode",
        refusals=_as(422, "cell_invalid"),
        seen="dates come out right in both epochs, as ISO text",
        tests=(
            "test_074_a_number_or_date_that_is_none",
            "test_074_dates_of_both_epochs",
            "test_074_the_29_february_1900_and_what_lies_before_it",
        ),
    ),
    75: Case(
        input="100 MB sheet XML in 0.5 MB",
        refusals=_as(422, "xlsx_too_large"),
        tests=(
            "test_075_bulk_that_packs_small",
            "test_075_a_tag_of_megabytes",
        ),
    ),
    76: Case(
        input="shared string of 50 MB",
        refusals=_as(422, "cell_too_long", "xlsx_too_large"),
        tests=("test_076_a_shared_text_of_megabytes",),
        differs="a part over 32 MiB, or packed more than a hundredfold, is refused before it is read",
    ),
    77: Case(
        input="#REF!, #N/A",
        seen="error values are blank",
        tests=("test_077_error_values_are_blank",),
    ),
    78: Case(
        input="formula without cached value; `=cmd|'/c calc'!A0`; `=WEBSERVICE()`; `=HYPERLINK()`",
        seen="the text is kept; a formula without a stored value is blank; a listener hears nothing",
        tests=("test_078_formulas_are_text_and_never_run",),
    ),
    79: Case(
        input="merged cells, hidden sheets, hidden rows, 300 sheets",
        refusals=_as(422, "xlsx_too_large"),
        seen="the first visible worksheet is read, hidden rows too; of merged cells the first holds the value",
        tests=("test_079_sheets_and_rows_that_are_hidden_or_merged",),
    ),
    80: Case(
        input="header missing, doubled, or only blanks",
        refusals=_as(422, "header_invalid"),
        tests=("test_080_a_header_that_is_none",),
    ),
    81: Case(
        input="truncated sheet XML; XML 1.1; UTF-16 XML; bad UTF-8 in XML",
        refusals=_as(422, "xlsx_corrupt"),
        tests=("test_081_xml_that_breaks_off_or_is_of_another_kind",),
    ),
    82: Case(
        input="UTF-8 BOM; UTF-16 LE/BE with BOM",
        seen="they are registered and given back byte for byte",
        tests=("test_082_byte_order_marks",),
    ),
    83: Case(
        input="CP949 / EUC-KR",
        seen="they are registered, `encoding` is reported",
        tests=("test_083_korean_code_pages_are_told_apart_and_reported",),
    ),
    84: Case(
        input="mixed encodings; lone 0xFF",
        refusals=_as(422, "csv_encoding"),
        tests=("test_084_bytes_of_no_encoding",),
    ),
    85: Case(
        input="NUL bytes",
        refusals=_as(422, "csv_invalid"),
        tests=("test_085_nul_bytes",),
    ),
    86: Case(
        input="quote never closed (rest of the file is one field)",
        refusals=_as(422, "csv_invalid"),
        tests=("test_086_a_quote_that_is_never_closed",),
    ),
    87: Case(
        input="rows with more or fewer fields",
        refusals=_as(422, "csv_row_shape"),
        seen="fewer fields: what is missing is blank",
        tests=("test_087_rows_of_another_shape",),
        differs="fewer fields are normal in a comment file: Excel leaves out trailing delimiters in blocks of 16 rows",
    ),
    88: Case(
        input="field of 10 MB (csv.Error: field larger than field limit)",
        refusals=_as(422, "cell_too_long"),
        tests=("test_088_a_field_of_megabytes",),
    ),
    89: Case(
        input="CR only, LF only, mixed, none at the end",
        seen="they are registered",
        tests=("test_089_every_end_of_line",),
    ),
    90: Case(
        input="semicolon, tab, pipe",
        refusals=_as(422, "header_invalid", "not_a_ladder"),
        seen="comma, semicolon, tab and pipe are told apart",
        tests=("test_090_other_delimiters_are_guessed_among_four",),
        differs="without one of the four the file has one column, and the answer names the header that was looked for",
    ),
    91: Case(
        input="only a header; only blank lines",
        refusals=_as(422, "csv_no_rows"),
        tests=("test_091_no_rows",),
    ),
    92: Case(
        input="200,001 rows; 501 columns",
        refusals=_as(422, "csv_too_large"),
        tests=("test_092_too_many_rows_or_columns",),
    ),
    93: Case(
        input="cells beginning = + - @ TAB CR NUL, also after a separator or quote",
        seen="the bytes are given back as they came",
        tests=("test_093_what_a_spreadsheet_would_run_is_kept_as_text",),
    ),
    94: Case(
        input="duplicate or empty column names, names differing by NFC or space",
        refusals=_as(422, "header_invalid"),
        tests=("test_094_headers_that_are_none_or_double",),
        differs="people keep comments as Device, Comment, Device, Comment: all are read. The template is case 80",
    ),
    95: Case(
        input="lone surrogates, noncharacters, U+0000 in text (Postgres refuses U+0000)",
        refusals=_as(422, "text_invalid"),
        tests=("test_095_what_is_no_character",),
        differs="U+0000 in a CSV is case 85, in JSON case 101, in a form field text_invalid",
    ),
    96: Case(
        input="empty; `null`; a number where an object is due",
        refusals=_as(422, "json_shape"),
        tests=("test_096_no_object",),
    ),
    97: Case(
        input="nesting 100,000 deep (RecursionError)",
        refusals=_as(422, "json_too_deep") | _as(413, "json_too_large"),
        tests=("test_097_nesting_without_end",),
        differs="what is over 64 KiB is refused before its nesting is looked at",
    ),
    98: Case(
        input="NaN, Infinity, -0, 1e400",
        refusals=_as(422, "json_invalid"),
        tests=("test_098_numbers_that_json_does_not_have",),
    ),
    99: Case(
        input="integer of 10,000 digits (int-string limit 4,300 -> ValueError)",
        refusals=_as(422, "json_number"),
        tests=("test_099_an_integer_of_ten_thousand_digits",),
    ),
    100: Case(
        input="duplicate keys",
        refusals=_as(422, "json_duplicate_key"),
        tests=("test_100_a_key_twice",),
    ),
    101: Case(
        input='lone surrogate `"\\ud800"`; `"\\u0000"`',
        refusals=_as(422, "text_invalid"),
        tests=("test_101_half_a_surrogate_pair",),
    ),
    102: Case(
        input="UTF-16, BOM, trailing comma, comments, two documents",
        refusals=_as(422, "json_invalid"),
        tests=("test_102_what_is_nearly_json",),
    ),
    103: Case(
        input="key `__proto__`, 1 MB key, 100,000 keys",
        refusals=_as(422, "field_unknown") | _as(413, "json_too_large"),
        tests=("test_103_odd_and_many_keys",),
        differs="a request has known fields alone, nothing is stored as data: an unknown key is named",
    ),
    104: Case(
        input="ids not UUID, huge limit or offset, negative page, `limit=1e9`",
        refusals=_as(422, "field_invalid"),
        tests=(
            "test_104_identifiers_and_pages_that_are_none",
            "test_104_a_limit_that_is_none",
        ),
        differs="no code is listed",
    ),
    105: Case(
        input="search text: empty, 1 MB, only spaces, emoji, NFD, only stop words, filter syntax in it",
        refusals=_as(422, "field_invalid") | _as(413, "json_too_large"),
        seen="hits, perhaps none",
        tests=(
            "test_105_search_texts_that_ask_nothing",
            "test_105_a_search_text_of_a_megabyte",
            "test_105_odd_search_texts_get_sane_answers",
        ),
        differs="no code is listed",
    ),
    106: Case(
        input="hash-collision keys; 1 MB regex-like text",
        refusals=_as(422, "field_unknown") | _as(413, "json_too_large"),
        seen="hits, perhaps none, in bounded time",
        tests=("test_106_colliding_keys_and_texts_like_expressions",),
        differs="no code is listed",
    ),
    107: Case(
        input="a further document: no file, two, a field that there is not",
        refusals=_as(422, "file_missing", "too_many_files", "field_unknown"),
        tests=("test_107_no_document_or_two",),
    ),
    108: Case(input="... of 0 bytes", refusals=_as(422, "file_empty"), tests=("test_108_an_empty_document",)),
    109: Case(
        input="... over its limit, with and without the body",
        refusals=_as(413, "too_large"),
        tests=("test_109_a_document_over_the_limit_is_refused_before_the_body",),
    ),
    110: Case(
        input="... whose content is not what its name says, or of a kind that is not read",
        refusals=_as(415, "type_mismatch", "type_unsupported"),
        tests=("test_110_a_document_that_is_not_what_its_name_says", "test_110_a_document_of_another_kind"),
    ),
    111: Case(
        input="... whose name is missing, blank, dots, too long, or holds controls",
        refusals=_as(422, "filename_invalid"),
        tests=("test_111_a_document_without_a_usable_name",),
    ),
    112: Case(
        input="... whose name is a path, Korean or Japanese",
        seen="the last part is the name, the bytes come back",
        tests=("test_112_a_path_as_name_is_no_path_and_any_script_is_kept",),
    ),
    113: Case(
        input="two documents of one name, NFC and NFD",
        seen="one document, at its next generation",
        tests=("test_113_one_name_in_two_normal_forms_is_one_document",),
    ),
    114: Case(
        input="a title or a description too long, or with U+0000",
        refusals=_as(422, "field_too_long", "text_invalid", "field_unknown"),
        tests=("test_114_what_is_said_of_it_that_cannot_be",),
    ),
    115: Case(input="a protected PDF", refusals=_as(422, "pdf_encrypted"), tests=("test_115_a_protected_pdf",)),
    116: Case(
        input="a scan, blanks, an empty sheet",
        refusals=_as(422, "document_without_text"),
        tests=("test_116_a_document_without_text",),
    ),
    117: Case(
        input="a PDF whose objects lead in circles, nest without end, or are noise",
        refusals=_as(422, "pdf_corrupt", "document_without_text", "resource_limit"),
        tests=("test_117_a_pdf_that_leads_in_circles_or_nowhere",),
    ),
    118: Case(
        input="a PDF that unpacks to a thousand times its size, in one stream, many pages or many forms",
        refusals=_as(422, "resource_limit", "document_without_text"),
        tests=(
            "test_118_a_pdf_that_unpacks_to_far_more_than_it_is",
            "test_118_forms_that_show_each_other_a_million_times",
        ),
    ),
    119: Case(
        input="a workbook bomb as a further document; a cell at XFD1048576",
        refusals=_as(422, "xlsx_too_large", "xlsx_corrupt"),
        tests=("test_119_a_workbook_that_unpacks_to_far_more_than_it_is",),
    ),
    120: Case(
        input="an .xls of noise, cut short, or protected",
        refusals=_as(422, "xlsx_corrupt", "xlsx_encrypted_or_legacy"),
        tests=("test_120_an_xls_that_is_none_or_breaks_off",),
    ),
    121: Case(
        input="a .csv, .txt or .md of no encoding",
        refusals=_as(422, "csv_encoding", "csv_invalid", "text_invalid"),
        tests=("test_121_a_table_or_text_of_no_encoding",),
    ),
    122: Case(
        input="19 MB in one line, in words, in headings, in rows, in blanks",
        refusals=_as(422, "document_too_long", "document_without_text"),
        tests=("test_122_more_text_than_is_indexed", "test_122_blanks_without_end"),
    ),
    123: Case(
        input="a million # or blanks in a heading, cells of 32,000 digits and a letter",
        seen="they are taken, in linear time",
        tests=("test_123_lines_and_cells_that_make_expressions_look_twice",),
    ),
    124: Case(
        input="a .csv of 19 MB of commas, of 200,001 rows, of a long cell, of an open quote",
        refusals=_as(422, "csv_too_large", "cell_too_long", "csv_invalid"),
        tests=("test_124_a_table_of_too_many_cells",),
    ),
    125: Case(
        input="a document of an unknown program; one that cannot be removed alone; one document too many",
        refusals=_as(404, "not_found") | _as(422, "field_invalid") | _as(409, "document_not_removable"),
        tests=(
            "test_125_a_document_of_no_program_or_that_cannot_go_alone",
            "test_one_document_too_many_is_refused_and_leaves_nothing",
        ),
    ),
    126: Case(
        input="the same Idempotency-Key for another document",
        refusals=_as(409, "idempotency_conflict"),
        seen="the first one is added",
        tests=("test_126_the_same_key_for_another_document",),
    ),
    127: Case(
        input="a declared type that it cannot be, a compressed body, no form",
        refusals=_as(415, "type_mismatch", "encoding_unsupported", "media_type_unsupported"),
        tests=("test_127_a_document_in_another_wrapping",),
    ),
    128: Case(
        input="a webhook to loopback, link-local, private and metadata addresses, in every spelling",
        refusals=_as(422, "field_invalid"),
        tests=(
            "test_128_an_address_that_nothing_is_sent_to",
            "test_a_name_that_leads_to_a_private_address_is_not_connected_to",
        ),
    ),
    129: Case(
        input="a webhook to no address: other schemes, names and passwords, labels without end",
        refusals=_as(422, "field_invalid"),
        tests=("test_129_an_address_that_is_none",),
    ),
    130: Case(
        input="a webhook of unknown kinds or fields, a secret of one's own, JSON that is none",
        refusals=_as(
            422,
            *("field_invalid", "field_missing", "field_unknown", "text_invalid"),
            *("json_duplicate_key", "json_too_deep", "json_shape"),
        )
        | _as(413, "json_too_large"),
        tests=("test_130_a_webhook_of_other_fields",),
    ),
    131: Case(
        input="a webhook that nobody added",
        refusals=_as(404, "not_found") | _as(422, "field_invalid"),
        tests=("test_131_a_webhook_that_nobody_added",),
    ),
}
