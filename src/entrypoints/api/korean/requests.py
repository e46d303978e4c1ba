"""What is said about requests, in Korean: each English sentence, with its placeholders, and its translation."""

from collections.abc import Mapping

BODIES: Mapping[str, str] = {
    "the body may hold at most {most:,} bytes": "본문은 {most:,}바이트까지 받습니다",
    "at most {most:,} bytes are taken": "{most:,}바이트까지 받습니다",
    "the body has a Content-Encoding; send it as it is": (
        "본문에 Content-Encoding이 있습니다. 인코딩하지 말고 그대로 보내세요"
    ),
    "pages of that origin may not ask so: CORS_ALLOWED_ORIGINS names those that may": (
        "이 origin의 페이지는 이렇게 요청할 수 없습니다. 허용할 origin은 CORS_ALLOWED_ORIGINS에 적습니다"
    ),
    "the Content-Length is no number": "Content-Length가 숫자가 아닙니다",
    "fewer than {least:,} bytes of the body came within {seconds:.0f} s": (
        "{seconds:.0f}초 동안 들어온 본문이 {least:,}바이트보다 적습니다"
    ),
    "no body came within {seconds:.0f} s": "{seconds:.0f}초 안에 본문이 오지 않았습니다",
    "the body ended before its announced length": "본문이 알린 길이보다 먼저 끝났습니다",
    "line {line}, column {column}": "{line}번째 줄 {column}번째 글자",
    "the body is not UTF-8: see {where}": "본문이 UTF-8이 아닙니다: {where}",
    "the body is no JSON: see {where}": "본문이 JSON이 아닙니다: {where}",
    "{name} is no JSON number": "JSON 숫자가 아닌 값이 있습니다: {name}",
    "the body is empty where a JSON object is due": "JSON 객체가 있어야 할 본문이 비어 있습니다",
    "the body is not a JSON object": "본문이 JSON 객체가 아닙니다",
    "the body is nested more than {most} levels deep": "본문의 중첩이 {most}단계보다 깊습니다",
    "an object in the body names a key twice": "본문의 한 객체에 같은 키가 두 번 나옵니다",
    "a whole number has more than {most} digits": "정수의 자릿수가 {most}자리를 넘습니다",
    "-0 is no whole number": "-0은 정수가 아닙니다",
    "a number is too large": "숫자가 너무 큽니다",
    "the body is no complete multipart/form-data": "본문이 완전한 multipart/form-data가 아닙니다",
    "the Content-Type names no usable boundary": "Content-Type에 쓸 수 있는 boundary가 없습니다",
    "the boundary does not begin the body": "본문이 boundary로 시작하지 않습니다",
    "a document is sent as multipart/form-data": "문서는 multipart/form-data로 보냅니다",
    "an upload is sent as multipart/form-data": "업로드는 multipart/form-data로 보내야 합니다",
    "a form may have at most {most} parts": "폼의 항목은 {most}개까지입니다",
    "the field {field!r} may hold {most:,} bytes": "{field!r} 필드는 {most:,}바이트까지입니다",
}

FIELDS: Mapping[str, str] = {
    "text": "텍스트",
    "a whole number": "정수",
    "a number": "숫자",
    "true or false": "true 또는 false",
    "an object": "객체",
    "a list": "목록",
    "null": "null",
    "another value": "다른 값",
    "{one} or {other}": "{one} 또는 {other}",
    "expected {what}": "필요한 값: {what}",
    "expected {what}, got {came}": "필요한 값: {what}, 받은 값: {came}",
    "expected {what} of length {length}": "필요한 값: 길이 {length}인 {what}",
    "expected {what} {bound}": "필요한 값: {bound}인 {what}",
    "it cannot be used": "쓸 수 없는 값입니다",
    "Correct it.": "고치세요.",
    "it is missing": "필드가 없습니다",
    "Send it.": "보내세요.",
    "there is no such field": "그런 필드는 없습니다",
    "Leave it out.": "빼세요.",
    "it is none of the known values": "정해진 값이 아닙니다",
    "See /schema/openapi.json.": "/schema/openapi.json을 보세요.",
    "it is not of the form that such a value has": "값의 형식이 맞지 않습니다",
    "Check it.": "확인하세요.",
    "it came more than once": "두 번 이상 왔습니다",
    "the field came twice": "필드가 두 번 왔습니다",
    "Send it once.": "한 번만 보내세요.",
    "Known are {fields}.": "쓸 수 있는 필드: {fields}.",
    "more than one file came": "파일이 두 개 이상 왔습니다",
    "Send one file in this field.": "이 필드에는 파일을 하나만 보내세요.",
    "the file was sent as {media_type!r}, which no file of this field is": (
        "파일이 {media_type!r} 형식으로 왔지만, 이 필드에 그런 파일은 없습니다"
    ),
    "Send the right file, or no Content-Type in its part.": "맞는 파일을 보내거나, 그 항목의 Content-Type을 빼세요.",
    "the file has no name": "파일에 이름이 없습니다",
    "Give the file a plain name and send it again.": "파일에 평범한 이름을 붙여 다시 보내세요.",
    "filename and filename* name two different files": "filename과 filename*의 파일 이름이 서로 다릅니다",
    "the file name holds characters that cannot be seen": "파일 이름에 보이지 않는 문자가 있습니다",
    "the file name is longer than {most} bytes": "파일 이름이 {most}바이트보다 깁니다",
    "it has {count:,} characters; {most:,} are the most": "{count:,}자입니다. {most:,}자까지 쓸 수 있습니다",
    "the key or the token is that of {name}": "키 또는 토큰의 소유자는 '{name}'입니다",
    "Leave {field} out.": "{field} 필드를 빼세요.",
    "Take it out.": "지우세요.",
    "it is blank": "비어 있습니다",
    "Send {field}.": "{field} 필드를 보내세요.",
    "it is not UTF-8": "UTF-8이 아닙니다",
    "Send UTF-8.": "UTF-8로 보내세요.",
    "no file came": "파일이 오지 않았습니다",
    "Send {field} as a file.": "{field} 필드를 파일로 보내세요.",
    "Export it again.": "다시 내보내세요.",
    "it holds U+0000": "U+0000이 들어 있습니다",
    "it holds half of a surrogate pair": "반쪽짜리 서로게이트가 들어 있습니다",
    "it holds a code point that is no character": "문자가 아닌 코드가 들어 있습니다",
    "it holds a control character": "제어 문자가 들어 있습니다",
    "text with U+0000 or half a character cannot be kept": (
        "U+0000이나 반쪽짜리 문자가 있는 텍스트는 저장할 수 없습니다"
    ),
    "this cursor was not given out here": "이 서비스가 준 커서가 아닙니다",
    "this cursor was not given out for this listing": "이 목록에서 준 커서가 아닙니다",
    "this cursor belongs to other filters or another order: begin without it": (
        "다른 필터나 다른 순서의 목록에서 준 커서입니다. 커서 없이 다시 시작하세요"
    ),
    "this cursor belongs to another revision of the program: begin without it": (
        "프로그램의 다른 리비전에서 준 커서입니다. 커서 없이 다시 시작하세요"
    ),
    "send a moment such as 2026-01-05T09:00:00Z, and + as %2B in an address": (
        "2026-01-05T09:00:00Z와 같은 시각을 보내세요. 주소에서 +는 %2B로 씁니다"
    ),
    "this is no device; one is written like M100, X1F, D100.5 or U3\\G10": (
        "디바이스가 아닙니다. M100, X1F, D100.5, U3\\G10처럼 쓰세요"
    ),
    "no device's name begins so": "이렇게 시작하는 디바이스 이름은 없습니다",
    "a query has at most {most:,} characters": "검색어는 {most:,}자까지입니다",
    "the query holds half of a surrogate pair": "검색어에 반쪽짜리 서로게이트가 들어 있습니다",
    "the query is empty": "검색어가 비어 있습니다",
    "this service has no {mode} lane: ask for another mode": (
        "이 서비스는 {mode} 방식으로 검색하지 않습니다. 다른 mode로 요청하세요"
    ),
    "the embedding model takes no such text": "임베딩 모델이 이런 텍스트를 받지 않습니다",
    "a key without a scope opens nothing": "권한(scope)이 없는 키로는 아무것도 할 수 없습니다",
    "a key lives for 1 to {most:,} days": "키의 유효 기간은 1일에서 {most:,}일까지입니다",
    "it is not 1 to {most} characters that can be seen": "보이는 글자 1~{most}자가 아닙니다",
    "a webhook is told of something: name at least one kind": "웹훅이 받을 이벤트 종류를 하나 이상 적으세요",
    "it is no address: write https://host/path": "주소가 아닙니다. https://호스트/경로 형식으로 쓰세요",
    "leave names, passwords and fragments out of the address": "주소에서 사용자 이름, 비밀번호, # 부분을 빼세요",
    "this service sends nothing to {host}": "이 서비스는 {host}(으)로 보내지 않습니다",
    "it is not 1 to {most} printable ASCII characters": "출력 가능한 ASCII 문자 1~{most}자가 아닙니다",
}

ANSWERS: Mapping[str, str] = {
    "{place}: {message}": "{place}: {message}",
    "{place}: {message} (and {count} more)": "{place}: {message} (외 {count}건)",
    "{file}, row {row}": "{file}, {row}행",
    "program": "프로그램",
    "document": "문서",
    "rung": "렁",
    "key": "키",
    "webhook": "웹훅",
    "there is no {kind} {identity}": "{kind} '{identity}' 항목이 없습니다",
    "the {dependency} gave no answer": "{dependency}에서 응답이 없습니다",
    "more than {most:,} requests in a minute": "1분에 요청이 {most:,}번을 넘었습니다",
    "more than {most} uploads at once": "동시에 하는 업로드가 {most}개를 넘습니다",
    "{count} uploads are worked on already": "이미 업로드 {count}개를 처리하고 있습니다",
    "more than {most} streams at once": "동시에 여는 스트림이 {most}개를 넘습니다",
    "{count} streams are open already": "이미 스트림 {count}개가 열려 있습니다",
    "this process is about to stop": "이 프로세스는 곧 종료됩니다",
    "this needs the scope {needed}": "{needed} 권한(scope)이 필요합니다",
    "a dependency and the settings disagree: the log says which, under this request id": (
        "연결된 서비스와 설정이 서로 맞지 않습니다. 어느 것인지는 이 요청 ID로 로그에 적혀 있습니다"
    ),
    "what came in Authorization does not hold": "Authorization의 값이 유효하지 않습니다",
    "send `Authorization: Bearer` with a key or a token": "`Authorization: Bearer`에 키나 토큰을 넣어 보내세요",
    "send If-Match with the ETag of the program as you read it": ("읽은 프로그램의 ETag를 If-Match에 넣어 보내세요"),
    "the program is no longer as the If-Match says": "프로그램이 If-Match의 상태와 다릅니다",
    "the document has {size:,} bytes: the range lies behind its end": (
        "문서는 {size:,}바이트입니다. 요청한 범위가 그 끝을 넘습니다"
    ),
    "the request was not carried out": "요청을 처리하지 못했습니다",
    "the request differs from the one under this key": "이 키로 보낸 이전 요청과 내용이 다릅니다",
    "it has {most:,} further documents, and no more are taken": "추가 문서가 {most:,}개 있어 더 받지 않습니다",
    "it came with the program's files: upload those anew, or delete the program": (
        "프로그램의 파일과 함께 온 문서입니다. 파일을 다시 업로드하거나 프로그램을 삭제하세요"
    ),
    "the state changed while the request was worked on": "요청을 처리하는 동안 상태가 바뀌었습니다",
}

SENTENCES: Mapping[str, str] = {**BODIES, **FIELDS, **ANSWERS}
