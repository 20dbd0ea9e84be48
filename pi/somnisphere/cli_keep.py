"""The commands that keep, carry and forget nights: backup, restore, export, import, forget. Their options alone."""

import argparse
from collections.abc import Callable
from pathlib import Path

Add = Callable[[str, str, str, str], argparse.ArgumentParser]


def add_commands(add: Add, date: Callable[[str], str], open_help: str) -> None:
    """``add``: as the command line adds any command; ``date`` reads an ISO date."""
    backup = add("backup", "cli_backup", "backup", "everything this box keeps, in one file; beside a running daemon")
    backup.add_argument("file", type=Path, nargs="?", metavar="FILE", help="default: named by the day, here; -: stdout")
    backup.add_argument("--stories", action="store_true", help="the household's own stories, too")

    restore = add("restore", "cli_backup", "restore", "put a backup in place of what is here, which is set aside")
    restore.add_argument("file", type=Path, metavar="FILE", help="-: from standard input")
    restore.add_argument("--stories", action="store_true", help="its stories, too, where there is none of that name")
    restore.add_argument("--dry-run", action="store_true", help="only look it through")
    restore.add_argument("--yes", action="store_true", help="do not ask")

    export = add("export", "cli_export", "export", "nights half minute by half minute: a file each")
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--edf", type=Path, metavar="FOLDER", help="EDF+ files, as sleep laboratories read them")
    form.add_argument("--csv", type=Path, metavar="FOLDER", help="CSV files")
    form.add_argument("--json", type=Path, metavar="FOLDER", help="files of JSON lines")
    export.add_argument("--name", default="", help="with --edf: a name to write into the files (else there is none)")
    export.add_argument("--replace", action="store_true", help="also where there is a file of that name")
    export.add_argument("--open", action="store_true", help=open_help)

    importing = add("import", "cli_import", "import_nights", "nights of another tracker, from its CSV")
    importing.add_argument("file", type=Path, metavar="FILE.csv", help="-: from standard input")
    importing.add_argument("--dry-run", action="store_true", help="only say what would come in")

    forget = add("forget", "cli_forget", "forget", "delete one night, or everything, for good")
    what = forget.add_mutually_exclusive_group(required=True)
    what.add_argument("night", nargs="?", metavar="NIGHT", help="as `somnisphere nights` names it")
    what.add_argument("--everything", action="store_true", help="every night and every word that this box keeps")
    forget.add_argument("--yes", action="store_true", help="do not ask")

    for command in (backup, restore, export, importing, forget):
        command.add_argument("--journal", type=Path, metavar="FILE", help="another journal than the configured one")
    export.add_argument("--since", type=date, metavar="DATE", help="from the evening of this ISO date on")
    export.add_argument("--until", type=date, metavar="DATE", help="up to and with the evening of this ISO date")
