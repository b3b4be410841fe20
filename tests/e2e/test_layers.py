"""Goal: what `make layers` and `make circles` are to find is found, and nothing else is."""
# SPDX-License-Identifier: ISC
import importlib.util
import subprocess
import sys

import pytest

from stage import ROOT

LIB = "/* {name} - a file of this test{words}.  Side: any. */\n/* SPDX-License-Identifier: ISC */\n"


def write(folder, name, text="", words=""):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LIB.format(name=path.name, words=words) + text, encoding="utf-8")
    return path


def look_for_circles(tmp_path, **sources):
    """Compiles lib/NAME.c of each source, and says what circles.py says."""
    for name, text in sources.items():
        source = write(tmp_path, f"lib/{name}.c", text)
        made = tmp_path / "build" / "obj" / "lib" / f"{name}.o"
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-c", "-o", made, source], check=True)
    return subprocess.run([sys.executable, ROOT / "tests" / "tools" / "circles.py", tmp_path / "build", tmp_path],
                          capture_output=True, text=True, check=False)


ONE_WAY = {"one": "void two_do(void);\nvoid one_do(void) { two_do(); }\n",
           "two": "void three_do(void);\nvoid two_do(void) { three_do(); }\n"}


def test_files_that_call_downwards_are_no_circle(tmp_path):
    done = look_for_circles(tmp_path, **ONE_WAY, three="void three_do(void) {}\n")
    assert (done.returncode, done.stdout) == (0, "circles: 3 files, 0 problems\n")


def test_files_that_call_each_other_are_named_with_what_they_call(tmp_path):
    done = look_for_circles(tmp_path, **ONE_WAY, three="void one_do(void);\nvoid three_do(void) { one_do(); }\n",
                            four="void one_do(void);\nvoid four_do(void) { one_do(); }\n")
    assert done.returncode == 1
    assert "lib/one.c: calls in a circle with lib/three.c, lib/two.c\n" in done.stdout
    assert "    lib/three.c needs lib/one.c: one_do\n" in done.stdout
    assert "four" not in done.stdout


def test_an_object_whose_source_is_gone_is_no_file(tmp_path):
    look_for_circles(tmp_path, **ONE_WAY, three="void one_do(void);\nvoid three_do(void) { one_do(); }\n")
    (tmp_path / "lib" / "three.c").unlink()
    done = look_for_circles(tmp_path, **ONE_WAY)
    assert (done.returncode, done.stdout) == (0, "circles: 2 files, 0 problems\n")


def test_a_build_without_objects_is_not_found_good(tmp_path):
    done = look_for_circles(tmp_path)
    assert done.returncode == 1 and "make all first" in done.stderr


@pytest.fixture
def layers(tmp_path, monkeypatch):
    """layers.py over a tree of our own: what it says, and its status."""
    spec = importlib.util.spec_from_file_location("layers", ROOT / "tests" / "tools" / "layers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)

    def run(capsys):
        with pytest.raises(SystemExit) as end:
            module.main()
        return end.value.code, capsys.readouterr().out

    return run


def test_a_private_header_is_for_its_own_files(tmp_path, layers, capsys):
    write(tmp_path, "lib/foo_inside.h", words=", for foo*.c and bar.c alone")
    write(tmp_path, "lib/foo_more.c", '#include "lib/foo_inside.h"\n')
    write(tmp_path, "lib/bar.c", '#include "lib/foo_inside.h"\n')
    write(tmp_path, "server/store/store_inside.h")
    write(tmp_path, "server/store/row_a.c", '#include "store/store_inside.h"\n')
    assert layers(capsys) == (0, "layers: 5 files, 0 problems\n")
    write(tmp_path, "lib/other.c", '#include "lib/foo_inside.h"\n')
    write(tmp_path, "server/decide/foo_b.c", '#include "lib/foo_inside.h"\n')
    status, said = layers(capsys)
    assert status == 1
    assert "lib/other.c:3: lib/foo_inside.h is for foo*.[ch] alone\n" in said
    assert "server/decide/foo_b.c:3: lib/foo_inside.h is for foo*.[ch] alone\n" in said
    assert "2 problems" in said


@pytest.mark.parametrize("name, words", [("foo_parts.h", ""), ("foo_private.h", ""), ("foo.h", ", for foo*.c alone"),
                                         ("foo.h", "; nobody else includes it")])
def test_a_private_header_has_no_other_name(tmp_path, layers, capsys, name, words):
    write(tmp_path, f"lib/{name}", words=words)
    assert layers(capsys) == (1, f"lib/{name}:1: a private header is called *_inside.h\nlayers: 1 files, 1 problems\n")
