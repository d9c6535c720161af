"""The store: ids without case, pages that stay valid, and nothing lost when the process is killed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.store import Store

TYPE = "Microsoft.Test/things"


def thing(name: str, group: str = "rg") -> str:
    return f"/subscriptions/s/resourceGroups/{group}/providers/{TYPE}/{name}"


def test_ids_ignore_case_and_keep_their_spelling():
    store = Store()
    store.put(thing("One", "RG-A"), TYPE, {"id": thing("One", "RG-A")})
    assert store.get(thing("one", "rg-a") + "/") == {"id": thing("One", "RG-A")}
    assert store.ids(TYPE.upper(), "/SUBSCRIPTIONS/S") == [thing("One", "RG-A")]


def test_a_body_that_was_read_is_a_copy():
    store = Store()
    store.put(thing("a"), TYPE, {"tags": {}})
    read = store.get(thing("a"))
    read["tags"]["x"] = "y"
    assert store.get(thing("a")) == {"tags": {}}


def test_hidden_state_stays_until_replaced_and_is_never_in_the_body():
    store = Store()
    store.put(thing("a"), TYPE, {"v": 1}, hidden={"power": "running"})
    store.put(thing("a"), TYPE, {"v": 2})
    assert (store.get(thing("a")), store.hidden(thing("a"))) == ({"v": 2}, {"power": "running"})


def test_index_follows_changes():
    store = Store()
    store.put(thing("a"), TYPE, {}, owner="ONE")
    store.put(thing("b"), TYPE, {}, owner="one")
    store.put(thing("b"), TYPE, {}, owner="two")
    assert store.find(TYPE, owner="one") == [thing("a")]
    store.delete(thing("a"))
    assert store.find(TYPE, owner="one") == []


def test_scope_is_whole_segments():
    store = Store()
    for group in ("rg", "rg-2", "rg0"):
        store.put(thing("a", group), TYPE, {"group": group})
    assert [body["group"] for body in store.list(TYPE, "/subscriptions/s/resourceGroups/RG")] == ["rg"]
    assert store.delete_under("/subscriptions/s/resourceGroups/rg") == 1
    assert store.count(TYPE) == 2


@given(st.lists(st.text("abcXYZ019-_é", min_size=1, max_size=6), max_size=40), st.integers(1, 7))
def test_pages_cover_everything_once_in_order(names, size):
    store = Store()
    for name in names:
        store.put(thing(name), TYPE, {"name": name})
    seen, token = [], None
    while True:
        page = store.page(TYPE, "", size=size, token=token)
        assert len(page.bodies) <= size
        seen += [json.loads(body)["name"].lower() for body in page.bodies]
        token = page.token
        if token is None:
            break
    assert seen == sorted({name.lower() for name in names})


def test_a_token_survives_deletion_of_what_it_points_at():
    store = Store()
    for name in "abcd":
        store.put(thing(name), TYPE, {"name": name})
    token = store.page(TYPE, size=2).token
    store.delete(thing("b"))
    assert [json.loads(body)["name"] for body in store.page(TYPE, size=9, token=token).bodies] == ["c", "d"]


def test_foreign_token_is_refused():
    with pytest.raises(ValueError, match="continuation"):
        Store().page(TYPE, size=1, token="/+\x00")


def test_page_filter_counts_only_what_passes():
    store = Store()
    for number in range(10):
        store.put(thing(str(number)), TYPE, {"n": number})
    page = store.page(TYPE, size=3, where=lambda body: body["n"] % 2 == 1)
    assert [json.loads(body)["n"] for body in page.bodies] == [1, 3, 5]


def test_reopened_store_is_the_same(tmp_path):
    path = tmp_path / "state.db"
    store = Store(path)
    store.put(thing("B"), TYPE, {"v": 1}, hidden={"h": 1}, owner="me")
    store.put(thing("a"), TYPE, {"v": 2})
    store.put(thing("gone"), TYPE, {})
    store.put_document("clock", "state", {"now": 1})
    store.commit()
    store.delete(thing("gone"))
    store.close()
    again = Store(path)
    assert again.ids(TYPE) == [thing("a"), thing("B")]
    assert (again.hidden(thing("b")), again.find(TYPE, owner="me")) == ({"h": 1}, [thing("B")])
    assert again.document("clock", "state") == {"now": 1}


def test_a_successor_takes_the_file(tmp_path):
    old = Store(tmp_path / "state.db")
    old.put(thing("old"), TYPE, {})
    old.put_document("c", "old", 1)
    old.commit()
    with old.successor() as new:
        new.put(thing("new"), TYPE, {"v": 1})
        new.put_document("c", "new", 2)
    new.close()
    again = Store(tmp_path / "state.db")
    assert (again.ids(TYPE), again.documents("c")) == ([thing("new")], [2])


def test_a_successor_that_fails_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("reconciler.emulator.store._MANY", 2)
    old = Store(tmp_path / "state.db")
    old.put(thing("old"), TYPE, {"v": 1})

    def break_off():
        with old.successor() as new:
            for number in range(5):
                new.put(thing(str(number)), TYPE, {"v": number})
            assert new.get(thing("0")) == {"v": 0}, "written, out of memory, and readable"
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert (old.ids(TYPE), old.get(thing("old"))) == ([thing("old")], {"v": 1})
    old.put(thing("later"), TYPE, {})
    old.close()
    assert Store(tmp_path / "state.db").ids(TYPE) == [thing("later"), thing("old")]


def test_what_lies_in_the_file_can_be_changed_in_part(tmp_path):
    store = Store(tmp_path / "state.db")
    for name in ("a", "b", "c"):
        store.put(thing(name), TYPE, {"v": 1}, hidden={"h": 1})
    store.commit()
    store.replace(thing("a"), {"v": 2})
    store.hide(thing("b"), {"h": 2})
    store.put(thing("c"), TYPE, {"v": 3})
    store.close()
    again = Store(tmp_path / "state.db")
    found = [(again.get(thing(name)), again.hidden(thing(name))) for name in ("a", "b", "c")]
    assert found == [({"v": 2}, {"h": 1}), ({"v": 1}, {"h": 2}), ({"v": 3}, {"h": 1})]


def test_a_resource_is_shown_otherwise_to_readers_only(tmp_path):
    store = Store(tmp_path / "state.db")
    store.put(thing("a"), TYPE, {"v": 1}, owner="me")
    before = store.entry(thing("a"))
    store.put(thing("a"), TYPE, {"v": 2}, owner="you")
    store.put(thing("b"), TYPE, {"v": 3})
    store.commit()
    after = store.entry(thing("a"))
    store.show(thing("a").lower(), before)
    store.show(thing("b").lower(), None)
    assert (store.list(TYPE), store.find(TYPE, owner="me")) == ([{"v": 1}], [thing("a")])
    store.show(thing("a").lower(), after)
    store.close()
    assert Store(tmp_path / "state.db").list(TYPE) == [{"v": 2}, {"v": 3}]


def test_one_process_at_a_time(tmp_path):
    held = Store(tmp_path / "state.db")
    held.put(thing("a"), TYPE, {})
    held.commit()
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Store(tmp_path / "state.db")


def test_killed_process_loses_nothing_that_was_committed(tmp_path):
    program = f"""
import os, signal
from pathlib import Path
from reconciler.emulator.store import Store
store = Store(Path({str(tmp_path)!r}) / "state.db")
for number in range(50):
    store.put(f"{thing("")}{{number:02d}}", {TYPE!r}, {{"n": number}})
    store.commit()
store.put({thing("uncommitted")!r}, {TYPE!r}, {{}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], env={**os.environ}, check=False)
    assert ended.returncode == -9
    assert [body["n"] for body in Store(tmp_path / "state.db").list(TYPE)] == list(range(50))
