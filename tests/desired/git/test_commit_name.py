"""What people call a commit, and what they are told where there is none of that name."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from dulwich.objects import Tag

from reconciler.desired.git.commit_name import find_commit
from reconciler.desired.git.objects import open_repository
from reconciler.desired.git.revision import RevisionError
from tests.desired.history import History


@pytest.fixture
def named(history: History) -> dict[str, str]:
    """Three commits on main, an annotated tag on the first, a remote branch on the second."""
    first = history.commit({"a.yaml": "1"})
    second = history.commit({"a.yaml": "2"})
    third = history.commit({"a.yaml": "3"})
    tag = Tag()
    tag.name, tag.object, tag.message, tag.tagger = (
        b"v1",
        (type(history.repo[first.encode()]), first.encode()),
        b"",
        b"A",
    )
    tag.tag_time, tag.tag_timezone = 1_700_000_000, 0
    history.repo.object_store.add_object(tag)
    history.ref("tags/v1", tag.id.decode())
    history.ref("tags/light", second)
    history.ref("heads/release/1.0", second)
    history.ref("remotes/origin/main", second)
    return {"first": first, "second": second, "third": third}


@pytest.mark.parametrize(
    ("name", "commit"),
    [
        ("main", "third"),
        ("heads/main", "third"),
        ("refs/heads/main", "third"),
        ("release/1.0", "second"),
        ("origin/main", "second"),
        ("refs/remotes/origin/main", "second"),
        ("light", "second"),
        ("v1", "first"),
        ("v1^{}", "first"),
        ("HEAD", "third"),
        ("@", "third"),
        ("@~1", "second"),
        ("HEAD~2", "first"),
        ("HEAD^", "second"),
        ("main^^", "first"),
        ("origin/main~1", "first"),
    ],
)
def test_names(name: str, commit: str, named: dict[str, str], history: History) -> None:
    with open_repository(history.root) as repo:
        assert find_commit(repo, name).id.decode() == named[commit]


def test_ids(named: dict[str, str], history: History) -> None:
    with open_repository(history.root) as repo:
        for commit in named.values():
            for name in (commit, commit.upper(), commit[:12], commit[:7], commit[:12].upper()):
                assert find_commit(repo, name).id.decode() == commit
        assert find_commit(repo, f"{named['third'][:12]}~2").id.decode() == named["first"]


@pytest.mark.parametrize(
    ("name", "message", "advice"),
    [
        ("origin/develop", "`origin/develop` is not in this clone", "git fetch --all"),
        ("mian", "`mian` is not in this clone", "did you mean `main`?"),
        ("origin/release/1.0", "`origin/release/1.0` is not in this clone", "did you mean `release/1.0`?"),
        ("0" * 40, "commit 0000000000 is not in this clone", "git fetch"),
        ("0000000", "`0000000` is not in this clone", "git fetch --all"),
        ("HEAD~7", "`HEAD~7` leads to no commit", "git log shows how far the history goes"),
        ("HEAD^2", "`HEAD^2` leads to no commit", "git log shows how far the history goes"),
        ("main@{upstream}", "`main@{upstream}` leads to no commit", "git log shows how far the history goes"),
        ("HEAD:a.yaml", "`HEAD:a.yaml` is not in this clone", "git fetch --all"),
        ("HEAD^{tree}", "`HEAD^{tree}` leads to no commit", "git log shows how far the history goes"),
        ("../../etc/passwd", "`../../etc/passwd` is not in this clone", "git fetch --all"),
        ("zweig/größe", "`zweig/größe` is not in this clone", "git fetch --all"),
        ("", "`` is not in this clone", "git fetch --all"),
    ],
)
def test_unknown_names(name: str, message: str, advice: str, named: dict[str, str], history: History) -> None:
    with open_repository(history.root) as repo, pytest.raises(RevisionError) as caught:
        find_commit(repo, name)
    assert (caught.value.message, caught.value.advice) == (message, advice)
    assert caught.value.why


def test_the_branch_of_the_other_side_is_suggested(history: History) -> None:
    commit = history.commit({"a.yaml": "1"})
    history.ref("remotes/origin/trunk", commit)
    history.ref("remotes/origin/HEAD", commit)
    with open_repository(history.root) as repo:
        for asked, meant in (("trunk", "origin/trunk"), ("origin/main", "main"), ("refs/heads/trunk", "origin/trunk")):
            with pytest.raises(RevisionError) as caught:
                find_commit(repo, asked)
            assert caught.value.advice == f"did you mean `{meant}`?"


def test_a_branch_that_a_known_remote_may_have_is_fetched_by_name(history: History) -> None:
    commit = history.commit({"a.yaml": "1"})
    config = history.root / ".git" / "config"
    config.write_text(config.read_text() + '[remote "origin"]\n\turl = https://git.example/estate\n')
    with open_repository(history.root) as repo, pytest.raises(RevisionError) as caught:
        find_commit(repo, "origin/trunk")
    assert caught.value.advice == "git fetch origin trunk:refs/remotes/origin/trunk"
    (history.root / ".git" / "shallow").write_text(f"{commit}\n")
    with open_repository(history.root) as repo, pytest.raises(RevisionError) as caught:
        find_commit(repo, "origin/trunk")
    assert caught.value.advice.startswith(
        "git fetch --unshallow origin trunk:refs/remotes/origin/trunk (in a pipeline:"
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("trunk", "git fetch origin trunk:refs/remotes/origin/trunk, then name origin/trunk"),
        (
            "refs/heads/release/2",
            "git fetch origin release/2:refs/remotes/origin/release/2, then name origin/release/2",
        ),
        ("refs/tags/v2", "git fetch --all"),
        ("0000000", "git fetch --all"),
        ("HEAD:a.yaml", "git fetch --all"),
        ("-o", "git fetch --all"),
        ("a b", "git fetch --all"),
        ("a;b", "git fetch --all"),
        ("a..b", "git fetch --all"),
    ],
)
def test_a_branch_that_the_only_remote_may_have_is_fetched_as_its_own(name: str, advice: str, history: History) -> None:
    history.commit({"a.yaml": "1"})
    config = history.root / ".git" / "config"
    config.write_text(config.read_text() + '[remote "origin"]\n\turl = https://git.example/estate\n')
    with open_repository(history.root) as repo, pytest.raises(RevisionError) as caught:
        find_commit(repo, name)
    assert caught.value.advice == advice


def test_a_short_id_of_two_commits(history: History) -> None:
    tree = history.repo[history.commit({"a.yaml": "1"}).encode()].tree
    seen: dict[str, str] = {}
    for number in itertools.count():
        commit = history.make(tree, [], str(number)).id.decode()
        other = seen.setdefault(commit[:4], commit)
        if other != commit:
            break
    with open_repository(history.root) as repo, pytest.raises(RevisionError) as caught:
        find_commit(repo, commit[:4])
    assert caught.value.message == f"`{commit[:4]}` is the beginning of 2 commits"
    assert caught.value.why == ", ".join(sorted([commit, other]))
    assert caught.value.advice == "write more of the one that is meant"


def test_a_tag_on_a_file_is_no_commit(history: History) -> None:
    history.commit({"a.yaml": "1"})
    history.ref("tags/file", history.repo.get_object(history.link("a.yaml")[0]).id.decode())
    with open_repository(history.root) as repo, pytest.raises(RevisionError, match="`file` is no commit, but a blob"):
        find_commit(repo, "file")


def test_the_end_of_a_shallow_clone(named: dict[str, str], history: History) -> None:
    history.shorten(named["second"])
    with open_repository(history.root) as repo:
        assert find_commit(repo, "HEAD~1").id.decode() == named["second"]
        for name in ("HEAD~2", named["first"]):
            with pytest.raises(RevisionError) as caught:
                find_commit(repo, name)
            assert "shallow clone" in caught.value.why
            assert caught.value.advice.startswith("git fetch --unshallow")


def test_names_of_packed_refs(named: dict[str, str], history: History) -> None:
    history.repo.refs.pack_refs(all=True)
    assert not (Path(history.root) / ".git" / "refs" / "tags" / "light").exists()
    history.repo.object_store.pack_loose_objects()
    with open_repository(history.root) as repo:
        assert find_commit(repo, "light").id.decode() == named["second"]
        assert find_commit(repo, "v1").id.decode() == named["first"]
        assert find_commit(repo, named["first"][:8]).id.decode() == named["first"]
