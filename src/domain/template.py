"""The template: which logic lives in which folder, and under which name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """One row of the template. Identifiers are text: `0000_11` keeps its zeros. `row` counts from 1."""

    row: int
    folder_id: str
    folder_name: str
    sub_folder_name: str
    logic_id: str
    logic_name: str

    @property
    def path(self) -> str:
        """The folders and the name, outermost first, without the blank ones."""
        return "/".join(part for part in (self.folder_name, self.sub_folder_name, self.logic_name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubFolder:
    """A sub folder and its logics in template order."""

    sub_folder_name: str
    logics: tuple[Logic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder and its sub folders in template order."""

    folder_id: str
    folder_name: str
    sub_folders: tuple[SubFolder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """All logics of a program in the order of the sheet."""

    logics: tuple[Logic, ...] = ()

    def tree(self) -> tuple[Folder, ...]:
        """Group the logics by folder and sub folder, each in order of first appearance."""
        folders: dict[tuple[str, str], dict[str, list[Logic]]] = {}
        for logic in self.logics:
            sub_folders = folders.setdefault((logic.folder_id, logic.folder_name), {})
            sub_folders.setdefault(logic.sub_folder_name, []).append(logic)
        return tuple(
            Folder(
                folder_id=folder_id,
                folder_name=folder_name,
                sub_folders=tuple(
                    SubFolder(sub_folder_name=name, logics=tuple(logics)) for name, logics in sub_folders.items()
                ),
            )
            for (folder_id, folder_name), sub_folders in folders.items()
        )
