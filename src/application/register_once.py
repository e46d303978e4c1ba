"""Register a program once for a caller that repeats itself: the first answer is the answer to every repeat."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from application.answer_once import AnswerOnce
from application.register_program import RegisterCommand, Registered, RegisterProgram
from application.spool import sha256_of
from domain.idempotency import IdempotencyKey, KeptAnswer, SentFile, keyed_request
from domain.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOnce:
    """Looks the key up before anything is read or stored."""

    register_program: RegisterProgram
    answer_once: AnswerOnce

    async def __call__(
        self, command: RegisterCommand, key: IdempotencyKey | None, *, render: Callable[[Registered], bytes]
    ) -> Registered | KeptAnswer:
        """Register, and keep what `render` makes of it under the key; or the answer that is kept already.

        Without a key every call registers. Raises ReusedKeyError besides what RegisterProgram raises.
        """
        if key is None:
            return await self.register_program(command)
        request = keyed_request(key, texts=asdict(command.details), files=await _sent_files(command.upload))

        def answer(registered: Registered) -> KeptAnswer:
            pgm_id = registered.registration.program.pgm_id
            return KeptAnswer(request=request, pgm_id=pgm_id, answer=render(registered))

        return await self.answer_once(request, lambda: self.register_program(command, keep=answer))


async def _sent_files(upload: Upload) -> Mapping[str, SentFile]:
    return {kind: SentFile(name=file.name, sha256=await sha256_of(file.path)) for kind, file in upload.by_type.items()}
