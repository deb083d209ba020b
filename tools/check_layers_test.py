#!/usr/bin/env python3
"""Plants each kind of violation in a small tree and expects check_layers.py to name it."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_layers  # noqa: E402


class CheckLayersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("base/CMakeLists.txt", "sluice_layer(base SOURCES a.cc)")
        self.write("json/CMakeLists.txt",
                   "sluice_layer(json SOURCES j.cc\n  USES base  # only\n  LIBRARIES simdjson::simdjson)")
        self.write("gateway/CMakeLists.txt", "sluice_layer(gateway SOURCES g.cc USES json)")
        self.write("base/a.cc", '#include "base/a.h"\n#include <string>\n')
        self.write("json/j.cc", '#include "base/a.h"\n#include <simdjson.h>\n')
        self.write("gateway/g.cc", '#include "json/j.h"\n#include "base/a.h"\n')

    def write(self, name: str, text: str):
        path = self.root / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def complaints(self) -> list[str]:
        return check_layers.check(self.root)[1]

    def assert_one(self, part: str):
        found = self.complaints()
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def test_a_tree_in_order_is_accepted(self):
        self.assertEqual(check_layers.check(self.root), (3, []))

    def test_an_upward_include_is_refused(self):
        self.write("base/a.cc", '#include <string>\n  #  include "json/j.h"\n')
        self.assert_one("a.cc:2: base/ may not include json/j.h")

    def test_an_outside_library_away_from_its_home_is_refused(self):
        self.write("gateway/g.cc", "#include <simdjson.h>\n")
        self.assert_one("belongs in json/ alone")

    def test_asio_outside_net_is_refused(self):
        self.write("gateway/g.h", "#include <boost/asio/awaitable.hpp>\n")
        self.assert_one("belongs in net/ alone")

    def test_a_file_that_is_too_long_is_refused(self):
        self.write("json/j.cc", "\n" * 401)
        self.assert_one("401 lines")

    def test_a_test_may_be_long_and_include_anything(self):
        self.write("base/a_test.cc", '#include "json/j.h"\n#include <simdjson.h>\n' + "\n" * 500)
        self.assertEqual(self.complaints(), [])

    def test_an_undeclared_layer_is_refused(self):
        self.write("chat/c.cc", "")
        self.assert_one("no CMakeLists.txt declares the layer chat/")

    def test_a_use_of_an_undeclared_layer_is_refused(self):
        self.write("base/CMakeLists.txt", "sluice_layer(base SOURCES a.cc USES chat)")
        self.assert_one("uses chat/")

    def test_layers_that_use_each_other_are_refused(self):
        self.write("base/CMakeLists.txt", "sluice_layer(base SOURCES a.cc USES json)")
        self.assertTrue(any("use each other" in c for c in self.complaints()))

    def test_an_empty_tree_is_refused(self):
        self.assertEqual(check_layers.check(self.root / "elsewhere")[0], 0)


if __name__ == "__main__":
    unittest.main()
