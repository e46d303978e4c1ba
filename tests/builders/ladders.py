"""Ladder CSVs for tests, as GX Works3 writes them."""

import csv
import io

HEADER = ("Step No.", "Line Statement", "Instruction", "I/O (Device)", "Blank", "P/I Statement", "Note")


def a_ladder(*devices: str) -> bytes:
    """One rung per device, and the END."""
    rows: list[tuple[str, ...]] = [("LINE_3",), ("Module Type Information:", "RCPU R08"), HEADER]
    for step, device in enumerate(devices or ("M100",)):
        rows += [
            (str(2 * step), "", "LD", "SM400", "", "", ""),
            (str(2 * step + 1), "", "OUT", device, "", "", ""),
        ]
    rows.append((str(2 * len(devices)), "", "END", "", "", "", ""))
    out = io.StringIO()
    csv.writer(out, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-16")
