# SPDX-License-Identifier: Apache-2.0
"""The layer check finds what it is there to find: each fault planted alone in a small tree that is otherwise right."""
import contextlib
import io
import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))
import check_layers  # noqa: E402
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


def check(files):
    """Exit status and output for a tree of these files, {path: text}."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        (tree / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "layers.toml", tree / "tools")
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text, encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = check_layers.main(tree)
        return status, output.getvalue()


RIGHT = {
    "include/fovea/result.h": LICENCE,
    "src/core/file.h": LICENCE + '#include "fovea/result.h"\n',
    "src/graph/graph.h": LICENCE + '#include "core/file.h"\n',
    "src/backend/cpu/relu.h": LICENCE,
    "src/backend/registry.cpp": LICENCE + '#include "backend/cpu/relu.h"\n',
    "apps/cli/main.cpp": LICENCE + '#include "fovea/result.h"\nint main() { printf("the program may print"); }\n',
    "tests/support/paths.h": LICENCE + '#include "core/file.h"\n',
}

FAULTS = {
    "upwards": ("src/core/bad.h", '#include "graph/graph.h"\n', "src/core may not include graph/graph.h"),
    "sideways": ("src/image/bad.h", '#include "graph/graph.h"\n', "src/image may not include graph/graph.h"),
    "a backend named outside the registry": ("src/backend/bad.cpp", '#include "backend/cpu/relu.h"\n', "src/backend may not include"),
    "a program inside the library": ("apps/cli/bad.cpp", '#include "core/file.h"\n', "apps may not include core/file.h"),
    "tests from the library": ("src/core/bad.h", '#include "support/paths.h"\n', "src/core may not include support/paths.h"),
    "printing": ("src/core/bad.cpp", "void f() { std::printf(\"x\"); }\n", "may not use printf"),
    "streams": ("src/core/bad.cpp", "void f() { std::cerr << 1; }\n", "may not use std::cerr"),
    "exit": ("src/core/bad.cpp", "void f() { std::exit(1); }\n", "may not use exit"),
    "length": ("src/core/bad.cpp", "int x;\n" * 900, "901 lines"),
    "an unknown folder": ("src/magic/bad.h", "", "no layer"),
}


class CheckLayers(unittest.TestCase):
    def test_a_right_tree_passes(self):
        status, output = check(RIGHT)
        self.assertEqual((status, output), (0, f"{len(RIGHT)} files, 0 faults\n"))

    def test_each_fault_is_found(self):
        for name, (path, text, message) in FAULTS.items():
            with self.subTest(name):
                status, output = check({**RIGHT, path: LICENCE + text})
                self.assertEqual(status, 1, output)
                self.assertIn(message, output)
                self.assertTrue(output.endswith(" 1 faults\n"), output)

    def test_a_missing_licence_is_found(self):
        status, output = check({**RIGHT, "src/core/bad.h": "int x;\n"})
        self.assertEqual(status, 1)
        self.assertIn("src/core/bad.h:1: no line", output)

    def test_comments_strings_and_members_are_not_calls(self):
        text = '// exit(1)\nauto s = "abort()";\nvoid f() { plan.exit(); }\n'
        status, output = check({**RIGHT, "src/core/good.cpp": LICENCE + text})
        self.assertEqual(status, 0, output)


if __name__ == "__main__":
    unittest.main()
