"""Every stable code that an answer may carry, with one sentence that its reader can act on.

Three kinds: codes of whole requests, which have a status; codes of findings in what was sent; and codes under which
a document failed to be indexed. A code means the same wherever it stands. A test holds this list to the source.
"""

from collections.abc import Mapping, Sequence

REQUESTS: Mapping[str, tuple[int, str]] = {
    "request_invalid": (400, "The request cannot be read: correct it and send it again."),
    "multipart_malformed": (400, "The form cannot be read: send it as complete multipart/form-data."),
    "body_truncated": (400, "The body is incomplete: send it again."),
    "too_many_fields": (400, "The form has too many parts: send only the documented fields."),
    "field_too_large": (400, "A text field is too large: shorten it."),
    "unauthenticated": (401, "Nobody knows who asks: send an API key or a token that holds."),
    "forbidden": (403, "The key or the token does not allow this: use one with the scope that is needed."),
    "not_found": (404, "There is no such thing here, or no longer: look its id up in a listing."),
    "method_not_allowed": (405, "This method is not served here: see the Allow header."),
    "request_timeout": (408, "The request came too slowly: send it again."),
    "conflict": (409, "Somebody else moved on first: read the present state and decide again."),
    "document_not_removable": (409, "The document came with its program's files: upload those anew without it."),
    "too_many_documents": (409, "The program has as many further documents as it may: remove one first."),
    "idempotency_conflict": (409, "The key is that of another request: send this one under a key of its own."),
    "precondition_failed": (412, "Somebody changed it first: read it again and send this with the new ETag."),
    "too_large": (413, "The request holds too many bytes: send less."),
    "json_too_large": (413, "The JSON holds too many bytes: send less."),
    "encoding_unsupported": (415, "The content encoding is not supported: send the body as it is."),
    "media_type_unsupported": (415, "The content type is not supported: see the Content-Type that is documented."),
    "range_not_satisfiable": (416, "The range lies behind the end: ask within the size that Content-Range names."),
    "json_invalid": (422, "The body is no JSON: correct it and send it again."),
    "json_shape": (422, "The body is not the JSON object that is due: correct it and send it again."),
    "json_too_deep": (422, "The JSON is nested too deep: flatten it."),
    "json_number": (422, "A number in the JSON is too long: shorten it."),
    "json_duplicate_key": (422, "The JSON names a key twice: send each once."),
    "fields_invalid": (422, "Fields of the request cannot be used: correct those that the findings name."),
    "upload_invalid": (422, "The upload cannot be registered: correct what the findings name and send it again."),
    "precondition_required": (428, "The If-Match is missing: send the ETag of the state that you read."),
    "rate_limited": (429, "Too many requests of this caller: send it again after the seconds that Retry-After names."),
    "internal_error": (500, "Something broke here: report the request id."),
    "unavailable": (503, "The service cannot do this now: try again later."),
    "busy": (503, "No place is left: send it again after the seconds that Retry-After names."),
    "misconfigured": (503, "The service is wrongly configured: its operator must act."),
}

FINDINGS: Mapping[str, str] = {
    # of the request's fields and files
    "field_blank": "A field is blank that must say something: fill it in.",
    "field_missing": "A field is missing: send it.",
    "field_unknown": "There is no such field: leave it out.",
    "field_invalid": "A field has a value that it cannot have: correct it.",
    "field_too_long": "A text is too long: shorten it.",
    "too_many_values": "A field came more than once: send it once.",
    "idempotency_key_invalid": "The idempotency key is none: send one line of printable ASCII, once.",
    "create_user_mismatch": "The create_user is not who the key or the token names: leave it out.",
    "lane_off": "This service does not search that way: ask for another mode.",
    "text_invalid": "A text holds what is no character: take it out.",
    "file_missing": "A file is missing: send it in its field.",
    "file_empty": "A file is empty: send it again.",
    "too_many_files": "Two files came where one is due: send one.",
    "filename_invalid": "A file has no usable name: give it a plain one and send it again.",
    "type_mismatch": "A file's content is not what its name says: save it again instead of renaming it.",
    "type_unsupported": "A file of this type is not read: save it as a type that is.",
    "resource_limit": "A file cannot be read within the limits: export it again, smaller.",
    # of the ladder ZIP
    "zip_corrupt": "The archive is damaged or contradicts itself: pack the files into a new ZIP.",
    "zip_empty": "The archive holds no files: put the ladder CSVs into it.",
    "zip_no_documents": "The archive holds no ladder CSV: export the program bodies and pack those.",
    "zip_unsupported": "The archive is one part of several: pack it into one single ZIP.",
    "zip_encrypted": "The archive is protected by a password: pack it again without one.",
    "zip_too_many_entries": "The archive holds too many entries: pack only what the template names.",
    "zip_bomb": "The archive unpacks to more than the limit: pack only what the template names.",
    "zip_overlap": "Entries of the archive share bytes: pack the files into a new ZIP.",
    "zip_unsafe_path": "An entry has an unsafe name: rename the file and pack it again.",
    "zip_name_too_long": "An entry has too long a name or lies too deep: shorten it.",
    "zip_name_encoding": "An entry has a name that no known encoding explains: rename it.",
    "zip_special_file": "An entry is a link or a device: pack the file itself.",
    "zip_method_unsupported": "An entry is packed by a method that is not read: pack it with Deflate.",
    "zip_duplicate_name": "Two entries have one name: keep one of the two.",
    "zip_path_conflict": "An entry is a file where another needs a folder: rename one.",
    "zip_nested": "The archive holds an archive: unpack that and pack its files directly.",
    "junk_ignored": "Files of the operating system are ignored: nothing needs to be done.",
    "file_left_out": "An entry is no CSV and is left out: nothing needs to be done.",
    # of the template workbook
    "xlsx_corrupt": "The workbook is damaged: save it as a new .xlsx.",
    "xlsx_too_large": "The workbook is too large: keep one small sheet with the template's rows.",
    "xlsx_encrypted_or_legacy": "The workbook is protected or none: save it as .xlsx without a password.",
    "xml_forbidden": "The workbook declares a document type, as no office program does: save it anew.",
    "cell_invalid": "A cell holds a number or date that is none: type it again.",
    "cell_too_long": "A cell holds too long a text: shorten it.",
    "header_invalid": "The header row lacks a column or names one twice: correct it.",
    "column_ignored": "A column is not read: nothing needs to be done.",
    "template_empty": "The template has no rows: add one for each logic.",
    "logic_id_blank": "A row has no Logic ID: enter it, or delete the row.",
    "logic_id_duplicate": "Two rows have one Logic ID: give each logic its own.",
    "logic_csv_missing": "A logic has no ladder CSV in the archive: add it, or remove the row.",
    "zip_duplicate_logic": "A logic has more than one file in the archive: keep the one that is meant.",
    "csv_not_in_template": "A CSV is not named in the template and is left out: add a row if it belongs.",
    # of CSVs
    "csv_encoding": "A CSV is in no known encoding: export it again, or save it as UTF-8.",
    "csv_invalid": "A CSV cannot be split into cells: close the quote, or export it again.",
    "csv_row_shape": "A row has more fields than its header: quote what holds the delimiter.",
    "csv_no_rows": "A CSV holds no rows: export it again.",
    "csv_too_large": "A CSV has too many rows or columns: split it.",
    "not_a_ladder": "A CSV is no ladder listing: export the program with 'Write to CSV File'.",
    # of further documents
    "document_without_text": "The document holds no text: of a scan, send what text recognition made of it.",
    "document_too_long": "The document holds more text than is indexed of one: split it.",
    "pdf_corrupt": "The PDF is damaged: print it into a new one.",
    "pdf_encrypted": "The PDF is protected: save it without a password and without restrictions.",
    # of devices: warnings, which refuse nothing
    "coil_double": "Several OUT drive one device: keep one, or use SET and RST.",
    "device_never_read": "A device is written and never read: remove it if nothing outside reads it.",
    "device_never_written": "A device is read and never written: write it if nothing outside does.",
    "device_no_comment": "A device has no comment: add it to the device comments.",
    "pointer_missing": "A label that is jumped to stands in no ladder: add the ladder, or name the right label.",
    "pointer_unused": "Nothing jumps to a label: remove it if nothing else calls it.",
}

FAILURES: Mapping[str, str] = {
    "resource_limit": "The document cannot be read within the limits: upload it again, smaller.",
    "storage_missing": "The document's bytes are no longer stored: upload the file again.",
    "storage_corrupt": "The stored bytes are not those that were uploaded: upload the file again.",
    "type_not_indexed": "This version does not index the document's type: run the one that took it.",
    "event_unreadable": "This version cannot read the work that was noted: run the one that noted it.",
    "quarantined": "The document ended every worker that took it: report it.",
    "worker_lost": "Workers that took the document were not heard of again: retry it, and report it if that repeats.",
    "retries_exhausted": "A dependency failed again and again: retry once it is well.",
    "unavailable": "A dependency gives no answer: it is tried again.",
    "misconfigured": "A dependency and the settings disagree: an operator must act.",
    "timeout": "The work was not done in time: it is tried again.",
    "io_error": "The local disk failed: it is tried again.",
    "internal_error": "Something broke here: report it.",
}

_OF_ANOTHER_TYPE = frozenset({"type_mismatch", "type_unsupported"})
_UNPROCESSABLE, _OF_A_TYPE = 422, 415


def of_findings(codes: Sequence[str], *, otherwise: str) -> tuple[str, int, str]:
    """Code, status and title for findings with these codes: their common one, else `otherwise` of REQUESTS."""
    if len(set(codes)) > 1:
        return otherwise, _OF_A_TYPE if _OF_ANOTHER_TYPE.issuperset(codes) else _UNPROCESSABLE, REQUESTS[otherwise][1]
    code = codes[0]
    if code in REQUESTS:
        return code, *REQUESTS[code]
    return code, _OF_A_TYPE if code in _OF_ANOTHER_TYPE else _UNPROCESSABLE, FINDINGS.get(code, REQUESTS[otherwise][1])
