"""What the installer's steps do, in a scratch folder. The whole of it on a real Debian: ``nspawn.sh``, by hand."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.deploy.scratch import DEPLOY, Scratch

SCRIPTS = sorted([*DEPLOY.glob("*.sh"), *Path(__file__).parent.rglob("*.sh")])


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    for name in ("chown", "chgrp", "userdel", "groupdel", "udevadm", "modprobe"):
        made.stub(name, "exit 0")
    made.stub("getent", "exit 2")  # nobody is known here
    made.stub("systemctl", "exit 0")
    return made


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_shell_can_read_it(script: Path) -> None:
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["install.sh", "build-deb.sh", "collect-wheels.sh"])
def test_help_and_what_is_not_understood(scratch: Scratch, name: str) -> None:
    helped = scratch.run("bash", DEPLOY / name, "--help")
    assert helped.returncode == 0
    assert f"deploy/{name}" in helped.stdout
    wrong = scratch.run("bash", DEPLOY / name, "--hlep")
    assert wrong.returncode == 2
    assert "--hlep is not understood" in wrong.stderr
    assert not scratch.files()


def test_an_answer_without_its_question_is_refused(scratch: Scratch) -> None:
    assert scratch.installer("--delete-nights").returncode == 2


def test_without_root_it_says_the_mend(scratch: Scratch) -> None:
    scratch.stub("id", "echo 1000")
    done = scratch.installer()
    assert done.returncode == 1
    assert "sudo bash deploy/install.sh" in done.stderr
    assert not scratch.files()


def make_slot(scratch: Scratch, name: str) -> None:
    (scratch.root / "opt" / name / "bin").mkdir(parents=True)
    (scratch.root / "opt" / name / "bin" / "somnisphere").write_text(name)


def test_an_upgrade_fills_the_other_environment_and_swaps(scratch: Scratch) -> None:
    home = scratch.root / "opt" / "somnisphere"
    make_slot(scratch, "somnisphere.a")
    assert scratch.steps("slot=$home.a; swap_slot; drop_other_slots").returncode == 0
    assert os.readlink(home) == "somnisphere.a"
    make_slot(scratch, "somnisphere.b")
    assert scratch.steps("slot=$home.b; swap_slot").returncode == 0
    assert (home / "bin" / "somnisphere").read_text() == "somnisphere.b"
    assert scratch.steps("before=somnisphere.a; swap_back; drop_other_slots").returncode == 0
    assert (home / "bin" / "somnisphere").read_text() == "somnisphere.a"
    assert not home.with_name("somnisphere.b").exists()


def test_an_environment_made_by_hand_gives_way(scratch: Scratch) -> None:
    make_slot(scratch, "somnisphere")
    make_slot(scratch, "somnisphere.a")
    assert scratch.steps("slot=$home.a; swap_slot; drop_other_slots").returncode == 0
    assert os.readlink(scratch.root / "opt" / "somnisphere") == "somnisphere.a"
    assert sorted(path.name for path in (scratch.root / "opt").iterdir()) == ["somnisphere", "somnisphere.a"]


@pytest.mark.parametrize(
    ("pip", "said"),
    [
        ("return 1", "What was installed before is untouched"),
        ("mkdir -p $slot/lib/python3.11/site-packages/lgpio", "an lgpio of its own"),
    ],
)
def test_what_pip_did_badly_never_comes_into_force(scratch: Scratch, pip: str, said: str) -> None:
    make_slot(scratch, "somnisphere.a")
    make_slot(scratch, "somnisphere.b")
    (scratch.root / "opt" / "somnisphere").symlink_to("somnisphere.a")
    done = scratch.steps(f"slot=$home.b; slot_pip() {{ {pip}; }}; fill_slot some.whl; swap_slot")
    assert done.returncode == 1
    assert said in done.stderr
    assert os.readlink(scratch.root / "opt" / "somnisphere") == "somnisphere.a"
    assert not (scratch.root / "opt" / "somnisphere.b").exists()


def test_a_new_version_that_does_not_start_is_taken_back(scratch: Scratch) -> None:
    make_slot(scratch, "somnisphere.a")
    make_slot(scratch, "somnisphere.b")
    home = scratch.root / "opt" / "somnisphere"
    home.symlink_to("somnisphere.a")
    (scratch.root / "run" / "systemd" / "system").mkdir(parents=True)
    scratch.stub("systemctl", f'[ "$1" != restart ] || [ "$(readlink {home})" = somnisphere.a ]')
    done = scratch.steps("slot=$home.b; swap_slot; start_service no")
    assert done.returncode == 1
    assert "the one before runs again" in done.stderr
    assert os.readlink(home) == "somnisphere.a"


def test_a_configuration_that_is_there_is_the_households(scratch: Scratch) -> None:
    example = DEPLOY / "somnisphere.toml.example"
    assert scratch.steps(f"make_folders; place_settings {example}").returncode == 0
    placed = scratch.root / "etc" / "somnisphere" / "somnisphere.toml"
    assert placed.read_text() == example.read_text()
    assert placed.stat().st_mode & 0o777 == 0o640
    placed.write_text("# ours\n")
    assert scratch.steps(f"make_folders; place_settings {example}").returncode == 0
    assert placed.read_text() == "# ours\n"


def test_folders_of_body_data_are_shut_and_others_can_be_read(scratch: Scratch) -> None:
    assert scratch.steps("umask 077; make_folders").returncode == 0
    modes = {
        name: (scratch.root / name).stat().st_mode & 0o777
        for name in ("var/lib/somnisphere", "var/cache/somnisphere", "etc/somnisphere")
    }
    assert modes == {"var/lib/somnisphere": 0o700, "var/cache/somnisphere": 0o700, "etc/somnisphere": 0o755}


@pytest.fixture
def lived_in(scratch: Scratch) -> Scratch:
    scratch.stub("id", "echo 0")
    scratch.stub("dpkg-query", "exit 1")
    make_slot(scratch, "somnisphere.a")
    (scratch.root / "opt" / "somnisphere").symlink_to("somnisphere.a")
    done = scratch.steps(f"make_folders; place_settings {DEPLOY}/somnisphere.toml.example; copy_files {DEPLOY}")
    assert done.returncode == 0, done.stderr
    drop_in = scratch.root / "etc" / "systemd" / "system" / "somnisphere.service.d" / "ours.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\n")
    (scratch.root / "var" / "lib" / "somnisphere" / "journal.db").write_text("a night")
    return scratch


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--delete-nights"], set[str]()),
        (["--keep-nights"], {"var/lib/somnisphere/journal.db"}),
        ([], {"var/lib/somnisphere/journal.db"}),  # nobody there to answer
    ],
)
def test_an_uninstallation_leaves_nothing_but_what_is_wished(
    lived_in: Scratch, arguments: list[str], left: set[str]
) -> None:
    before = lived_in.files()
    assert {"etc/systemd/system/somnisphere.service", "usr/local/bin/somnisphere"} < before
    done = lived_in.installer("--uninstall", *arguments)
    assert done.returncode == 0, done.stderr
    assert lived_in.files() == left
    assert lived_in.installer("--uninstall", *arguments).returncode == 0  # twice is no fault


def test_groups_made_here_are_taken_back_and_others_are_not(lived_in: Scratch) -> None:
    log = lived_in.root.parent / "log"
    lived_in.stub("groupdel", f'echo "$1" >>{log}')
    lived_in.stub("getent", 'case $2 in i2c) echo "i2c:x:998:" ;; gpio) echo "gpio:x:997:ann" ;; *) exit 2 ;; esac')
    (lived_in.root / "etc" / "somnisphere" / ".made").write_text("group i2c\ngroup gpio\n")
    assert lived_in.installer("--uninstall", "--keep-nights").returncode == 0
    assert log.read_text() == "i2c\n"  # ann has moved into gpio


@pytest.fixture
def command(scratch: Scratch) -> Path:
    """The command, with a program that says how it was called in the place of ours."""
    program = scratch.root / "program"
    program.write_text('#!/bin/sh\necho "$STATE_DIRECTORY|$CREDENTIALS_DIRECTORY|$*"\n')
    program.chmod(0o755)
    text = (DEPLOY / "somnisphere.sh").read_text()
    assert text.count("/opt/somnisphere/bin/somnisphere") == 1
    path = scratch.root / "somnisphere"
    path.write_text(text.replace("/opt/somnisphere/bin/somnisphere", str(program)))
    scratch.stub("find", "exit 0")
    scratch.stub("setpriv", 'while [ "$1" != -- ]; do shift; done; shift; printf "as the service: "; exec "$@"')
    return path


@pytest.mark.parametrize(
    ("who", "words", "said"),
    [
        ("root", "nights --json", "as the service: /var/lib/somnisphere||nights --json"),
        ("root", "story import doctor", "as the service: /var/lib/somnisphere||story import doctor"),
        ("root", "doctor", "/var/lib/somnisphere|/etc/somnisphere|doctor"),
        ("root", "-v --config /x setup", "/var/lib/somnisphere|/etc/somnisphere|-v --config /x setup"),
        ("somnisphere", "nights", "/var/lib/somnisphere||nights"),
        ("ann", "beats FILE", "||beats FILE"),
    ],
)
def test_the_command_is_root_only_where_it_must(
    scratch: Scratch, command: Path, who: str, words: str, said: str
) -> None:
    scratch.stub("id", f"echo {who}")
    done = scratch.run("sh", command, *words.split())
    assert (done.stdout.strip(), done.returncode) == (said, 0)
