"""The rules of building, each with a case in `cases/NAME/`, and who judges it.

``docker``: the classic builder of a real engine; ``buildah``: `buildah bud`; ``documented``:
neither has it, so the case holds what the page of BuildKit's documentation that is named says.
*differs* names rows of docs/differences.md.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """A rule, its judge, where ours differs from it on purpose, and the page that has it."""

    text: str
    judge: str = "docker"
    differs: tuple[str, ...] = ()
    source: str = ""


_REFERENCE = "https://docs.docker.com/reference/dockerfile/"

RULES: dict[str, Rule] = {
    "copy-file": Rule("a file into the root"),
    "copy-file-renamed": Rule("a destination without a slash is the file's new name"),
    "copy-file-to-folder": Rule("a destination with a slash is a folder, made with its parents"),
    "copy-many": Rule("several files into a folder"),
    "copy-many-no-slash": Rule("several files need a destination with a slash"),
    "copy-folder": Rule("of a folder its content is copied, links as links"),
    "copy-folder-slash": Rule("slashes after a folder change nothing"),
    "copy-folders": Rule("folders are merged, a later file wins"),
    "copy-dot": Rule("the whole context"),
    "copy-dot-root": Rule("the whole context into the root of an image"),
    "copy-wildcard": Rule("a star matches any name, hidden ones too"),
    "copy-wildcard-one": Rule("one match and no slash: the match is renamed"),
    "copy-wildcard-class": Rule("a class of letters matches one of them"),
    "copy-wildcard-negated": Rule("a negated class matches any other letter"),
    "copy-wildcard-folders": Rule("of folders that match the contents are copied"),
    "copy-wildcard-inner": Rule("a wildcard stands for one name of a path"),
    "copy-wildcard-folder-inner": Rule("a path may go on below what a wildcard matches"),
    "copy-wildcard-bracket": Rule("a bracket is matched in a class"),
    "copy-wildcard-none": Rule("a wildcard that matches nothing beside one that matches"),
    "copy-wildcard-nothing": Rule(
        "wildcards that match nothing at all", differs=("empty-wildcard",)
    ),
    "copy-wildcard-folder-no-slash": Rule("a wildcard that matches many needs a slash"),
    "copy-json": Rule("the JSON form takes names with spaces"),
    "copy-unicode": Rule("names are bytes of any language"),
    "copy-missing": Rule("a file that is not there ends the build"),
    "copy-outside": Rule("a source above the context", differs=("above-context",)),
    "copy-absolute-source": Rule("a source's leading slash means the context"),
    "copy-inner-dots": Rule("dots inside of a source's path are taken away"),
    "copy-relative": Rule("a destination is relative to the working directory"),
    "copy-relative-dot": Rule("a dot is the working directory"),
    "copy-relative-no-workdir": Rule(
        "without a working directory a destination is relative to the root"
    ),
    "copy-relative-up": Rule("a destination may lead up, not further than the root"),
    "copy-over-file": Rule("a file replaces one that is there"),
    "copy-file-into-folder": Rule("a destination that is a folder needs no slash"),
    "copy-folder-over-folder": Rule("a folder is merged into one that is there"),
    "copy-folder-over-file": Rule("a folder can not replace a file"),
    "copy-folder-over-inner-link": Rule(
        "an inner folder can not replace a link", differs=("other-kind",)
    ),
    "copy-file-over-folder": Rule("a file can not replace a folder", differs=("other-kind",)),
    "copy-folder-over-inner-file": Rule(
        "an inner folder can not replace a file", differs=("other-kind",)
    ),
    "copy-file-below-file": Rule("a file is no folder to copy into"),
    "copy-below-file": Rule("a path through a file leads nowhere"),
    "copy-through-link": Rule("links of the image are followed on the way"),
    "copy-through-absolute-link": Rule("an absolute link leads from the image's root"),
    "copy-through-outward-link": Rule("a link that leads up stops at the image's root"),
    "copy-to-link-to-file": Rule("a destination that is a link to a file"),
    "copy-to-link-to-folder": Rule("a destination that is a link to a folder is that folder"),
    "copy-folder-to-link": Rule("a folder's content goes where a link to a folder leads"),
    "copy-dangling-folder": Rule("a link that leads nowhere is made a place"),
    "copy-dangling-file": Rule("a link that leads nowhere as destination"),
    "copy-link": Rule("of a link its file is copied"),
    "copy-link-chain": Rule("of a link to a link its file is copied"),
    "copy-link-to-folder": Rule("of a link to a folder the content is copied"),
    "copy-link-absolute": Rule("an absolute link leads from the context's top"),
    "copy-link-wildcard": Rule("of links that a wildcard matches the files are copied"),
    "copy-through-source-link": Rule("links of the context are followed on the way"),
    "copy-file-slash": Rule("a slash after a file"),
    "copy-modes": Rule("modes are kept, setuid too", differs=("setuid-kept",)),
    "copy-folder-mode": Rule("a folder that is made has the mode of the one copied"),
    "copy-folder-mode-kept": Rule("a folder that is there keeps its mode and owner"),
    "copy-inner-folder-mode": Rule("inner folders that are there"),
    "copy-empty-folder": Rule("an empty folder"),
    "copy-empty-file": Rule("an empty file"),
    "copy-big": Rule("a file larger than any buffer"),
    "copy-hardlinks": Rule("hard links become files"),
    "copy-twice": Rule("what is copied later replaces what was copied before"),
    "copy-user": Rule("whoever USER is, files belong to root"),
    "copy-chown-numbers": Rule("--chown by numbers"),
    "copy-chown-user-number": Rule("--chown with a user's number gives the group the same"),
    "copy-chown-name": Rule("--chown with a user's name gives the user's own group"),
    "copy-chown-names": Rule("--chown by names"),
    "copy-chown-mixed": Rule("--chown by a name and a number"),
    "copy-chown-link": Rule("links get the owner too"),
    "copy-chown-existing": Rule("--chown does not change a folder that is there"),
    "copy-chown-unknown": Rule("--chown with an unknown name"),
    "copy-chown-unknown-group": Rule("--chown with an unknown group"),
    "copy-chown-scratch": Rule("--chown with a name needs an image that knows it"),
    "copy-chown-variable": Rule("--chown takes variables"),
    "copy-from-name": Rule("--from names a stage, in any case"),
    "copy-from-number": Rule("--from counts stages from 0"),
    "copy-from-image": Rule("--from names an image"),
    "copy-from-owners": Rule("owners of a stage's files"),
    "copy-from-chown": Rule("--from with --chown"),
    "copy-from-link": Rule("links in a stage are followed inside of it"),
    "copy-from-wildcard": Rule("wildcards match in a stage"),
    "copy-from-root": Rule("a whole stage"),
    "copy-from-special": Rule("modes of a stage's files, setuid too"),
    "copy-from-relative": Rule("a source in a stage is relative to its root"),
    "copy-from-unknown-number": Rule("--from may not count further than there are stages"),
    "copy-from-itself": Rule("a stage can not copy from itself"),
    "copy-from-missing": Rule("a file that the stage does not have"),
    "copy-deleted": Rule("a file that a later step removed is not there to copy"),
    "copy-chmod": Rule(
        "--chmod by digits, of folders too",
        "documented",
        source=_REFERENCE + "#copy---chown---chmod",
    ),
    "copy-chmod-letters": Rule(
        "--chmod by letters changes each mode",
        "documented",
        source=_REFERENCE + "#copy---chown---chmod",
    ),
    "copy-chmod-variable": Rule(
        "--chmod takes variables", "documented", source=_REFERENCE + "#copy---chown---chmod"
    ),
    "copy-chmod-wrong": Rule(
        "--chmod with a mode that is none",
        "documented",
        source=_REFERENCE + "#copy---chown---chmod",
    ),
    "copy-link-flag": Rule(
        "--link copies into folders of its own: no link is followed",
        "documented",
        source=_REFERENCE + "#copy---link",
    ),
    "copy-link-chmod": Rule(
        "with --chmod --link changes nothing, as BuildKit's converter has it",
        "documented",
        source=_REFERENCE + "#copy---link",
    ),
    "copy-parents": Rule(
        "--parents keeps the path of each source",
        "documented",
        source=_REFERENCE + "#copy---parents",
    ),
    "copy-parents-none": Rule(
        "without --parents names alone are kept",
        "documented",
        source=_REFERENCE + "#copy---parents",
    ),
    "copy-parents-pivot": Rule(
        "with --parents a path is kept from the pivot ./ on",
        "documented",
        source=_REFERENCE + "#copy---parents",
    ),
    "copy-parents-wildcard": Rule(
        "with --parents each match keeps its path",
        "documented",
        source=_REFERENCE + "#copy---parents",
    ),
    "copy-parents-from": Rule(
        "--parents from a stage", "documented", source=_REFERENCE + "#copy---parents"
    ),
    "copy-exclude": Rule(
        "--exclude leaves out by patterns of .dockerignore",
        "documented",
        source=_REFERENCE + "#copy---exclude",
    ),
    "copy-exclude-many": Rule(
        "--exclude holds for each source", "documented", source=_REFERENCE + "#copy---exclude"
    ),
    "copy-exclude-exception": Rule(
        "an exception in --exclude takes back", "documented", source=_REFERENCE + "#copy---exclude"
    ),
    "copy-heredoc": Rule(
        "a file written in the Dockerfile, variables filled in",
        "documented",
        source=_REFERENCE + "#here-documents",
    ),
    "copy-heredoc-quoted": Rule(
        "a quoted here-document is taken as it is",
        "documented",
        source=_REFERENCE + "#here-documents",
    ),
    "copy-heredocs": Rule(
        "several here-documents in one COPY, beside a file",
        "documented",
        source=_REFERENCE + "#here-documents",
    ),
    "copy-heredoc-mode": Rule(
        "a here-document with owner and mode", "documented", source=_REFERENCE + "#here-documents"
    ),
    "add-file": Rule("ADD copies as COPY does"),
    "add-tar": Rule("a tar is unpacked, with its owners and modes"),
    "add-tar-gz": Rule("a tar in gzip is unpacked"),
    "add-tar-bz2": Rule("a tar in bzip2 is unpacked"),
    "add-tar-xz": Rule("a tar in xz is unpacked"),
    "add-tar-no-slash": Rule("a tar's destination is a folder, with a slash or without"),
    "add-tar-existing": Rule("a tar is unpacked into folders that are there"),
    "add-tar-link": Rule("a tar is unpacked where a link leads"),
    "add-tar-root": Rule("a tar is unpacked over the root"),
    "add-tar-over": Rule("members of an archive take the place of other things"),
    "add-tar-file": Rule("a tar can not be unpacked into a file"),
    "add-by-content": Rule("what a file contains says whether it is an archive, not its name"),
    "add-inner-archive": Rule("an archive in a folder is not unpacked"),
    "add-archives": Rule("each archive is unpacked, other files beside them"),
    "add-wildcard-archives": Rule("archives that a wildcard matches are unpacked"),
    "add-link-to-archive": Rule("a link to an archive is unpacked"),
    "add-chown-archive": Rule("--chown holds for what is unpacked", differs=("chown-archive",)),
    "add-copy-archive": Rule("COPY unpacks nothing"),
    "add-tar-zst": Rule(
        "a tar in zstd is unpacked", "documented", source=_REFERENCE + "#adding-local-tar-archives"
    ),
    "add-no-unpack": Rule(
        "--unpack=false copies an archive", "documented", source=_REFERENCE + "#add---unpack"
    ),
    "add-chmod": Rule(
        "ADD with --chmod",
        "documented",
        source=_REFERENCE + "#add---chown---chmod---link---exclude",
    ),
    "add-exclude": Rule("ADD with --exclude", "documented", source=_REFERENCE + "#add---exclude"),
    "add-link-flag": Rule("ADD with --link", "documented", source=_REFERENCE + "#add---link"),
    "add-heredoc": Rule(
        "ADD of a file written in the Dockerfile",
        "documented",
        source=_REFERENCE + "#here-documents",
    ),
    "add-checksum-local": Rule(
        "--checksum is for what is fetched", "documented", source=_REFERENCE + "#add---checksum"
    ),
    "add-missing": Rule("ADD of a file that is not there"),
    "ignore-name": Rule("a name of the top is left out"),
    "ignore-wildcard": Rule("a star stands for one name"),
    "ignore-double-star": Rule("two stars stand for any path"),
    "ignore-exception": Rule("an exception takes back"),
    "ignore-order": Rule("the last line that matches decides"),
    "ignore-inner-exception": Rule(
        "an exception may lie in a folder that is left out", differs=("left-out-modes",)
    ),
    "ignore-all-but": Rule("everything but what is taken back"),
    "ignore-double-star-exception": Rule(
        "exceptions may have two stars", differs=("deep-exceptions",)
    ),
    "ignore-slashes": Rule("slashes before and after a pattern change nothing"),
    "ignore-dots": Rule("patterns are cleaned, those above the context match nothing"),
    "ignore-comments": Rule("comments, blank lines and spaces around"),
    "ignore-classes": Rule("classes and question marks"),
    "ignore-escape": Rule("a backslash takes a letter's meaning away"),
    "ignore-itself": Rule("the ignore file and the Dockerfile can be left out, and are read"),
    "ignore-named": Rule("a file that is left out can not be copied by its name"),
    "ignore-named-folder": Rule("a folder that is left out can not be copied by its name"),
    "ignore-wildcard-copy": Rule("a wildcard does not match what is left out"),
    "ignore-link": Rule("a link whose file is left out leads nowhere"),
    "ignore-byte-order-mark": Rule("a byte order mark, and line ends of Windows"),
    "ignore-broken": Rule("a pattern that is none ends the build"),
    "ignore-exclamation": Rule("an exclamation mark alone is no pattern"),
    "ignore-own": Rule(
        "Dockerfile.dockerignore is read in place of .dockerignore",
        "documented",
        source="https://docs.docker.com/build/concepts/context/#filename-and-location",
    ),
    "workdir": Rule("a working directory is made"),
    "workdir-relative": Rule("a relative path goes on from the last"),
    "workdir-first-relative": Rule("the first is relative to the root"),
    "workdir-variable": Rule("variables, in a path too", differs=("clean-workdir",)),
    "workdir-slash": Rule("slashes at the end go", differs=("clean-workdir",)),
    "workdir-quotes": Rule("quotes go, spaces stay"),
    "workdir-root": Rule("the root"),
    "workdir-existing": Rule("a folder that is there stays as it is"),
    "workdir-inner": Rule("a folder is made in one that is there", differs=("workdir-owner",)),
    "workdir-base": Rule("a relative path goes on from the base's"),
    "workdir-link": Rule(
        "links are followed, the path is kept as it was written", differs=("workdir-owner",)
    ),
    "workdir-user": Rule("a folder that is made belongs to the user", differs=("workdir-owner",)),
    "workdir-file": Rule("a file can not be a working directory"),
    "workdir-run": Rule("commands run in the working directory"),
    "env": Rule("ENV sets variables, in order"),
    "env-base": Rule("the base's variables stay in place"),
    "env-same-line": Rule("a variable set in a line is not seen in that line"),
    "env-quotes": Rule("quotes and escapes"),
    "env-unset": Rule("a variable that is not set is empty"),
    "env-everywhere": Rule("variables are filled in in most instructions"),
    "env-not-in-commands": Rule("commands are left to the shell"),
    "env-run": Rule("commands see the variables"),
    "env-path": Rule("a variable may be made longer"),
    "env-upper": Rule("names keep their case"),
    "env-long": Rule("a long name ends where no name can go on"),
    "expand-pattern": Rule(
        "patterns cut and replace", "documented", source=_REFERENCE + "#environment-replacement"
    ),
    "arg-default": Rule("an argument has its default"),
    "arg-given": Rule("an argument that is given"),
    "arg-not-kept": Rule("arguments are not in the image"),
    "arg-env": Rule("a variable and an argument of one name", differs=("arg-after-env",)),
    "arg-before-use": Rule("an argument holds from its line on"),
    "arg-before-from": Rule("an argument before FROM is for FROM"),
    "arg-before-from-taken": Rule(
        "a stage takes an argument before FROM by naming it", differs=("inherited-args",)
    ),
    "arg-scope": Rule("an argument ends with its stage"),
    "arg-inherited": Rule("a stage on a stage and its arguments", differs=("inherited-args",)),
    "arg-run": Rule("commands see arguments"),
    "arg-proxy": Rule("proxies need no line, and are seen by commands"),
    "arg-unused": Rule("an argument that nobody asks for is no error"),
    "arg-several": Rule("one ARG may declare several", "documented", source=_REFERENCE + "#arg"),
    "arg-platform": Rule(
        "arguments of the platform are there by name",
        "documented",
        source=_REFERENCE + "#automatic-platform-args-in-the-global-scope",
    ),
    "cmd-shell": Rule("CMD in shell form"),
    "cmd-exec": Rule("CMD in exec form"),
    "cmd-replaces": Rule("CMD replaces the base's"),
    "cmd-empty": Rule("an empty CMD"),
    "entrypoint-shell": Rule("ENTRYPOINT in shell form"),
    "entrypoint-exec": Rule("ENTRYPOINT in exec form"),
    "entrypoint-base-cmd": Rule("ENTRYPOINT takes the base's CMD away"),
    "entrypoint-own-cmd": Rule("ENTRYPOINT leaves the stage's own CMD"),
    "entrypoint-then-cmd": Rule("CMD after ENTRYPOINT"),
    "entrypoint-stage-cmd": Rule("ENTRYPOINT takes an earlier stage's CMD away"),
    "entrypoint-empty": Rule("an empty ENTRYPOINT"),
    "shell": Rule("SHELL runs what comes after"),
    "shell-healthcheck": Rule("a health check is left to the image's own shell"),
    "label": Rule("labels, the later wins"),
    "label-option": Rule("--label wins"),
    "expose": Rule("ports, ranges and protocols"),
    "expose-wrong": Rule("a port that is none"),
    "volume": Rule("volumes as words and as JSON"),
    "volume-folder": Rule("a volume does not make its folder"),
    "volume-copy": Rule("files may be copied into a volume"),
    "volume-run": Rule(
        "what commands write into a volume is kept",
        "documented",
        source=_REFERENCE + "#notes-about-specifying-volumes",
    ),
    "user": Rule("USER as it was written"),
    "user-run": Rule("commands run as the user"),
    "user-group": Rule("a user with another group"),
    "user-home": Rule("HOME is the user's"),
    "user-unknown": Rule("an unknown user can run nothing"),
    "user-unknown-unused": Rule("an unknown user is an error only for commands"),
    "stopsignal": Rule("a signal's name"),
    "stopsignal-number": Rule("a signal's number"),
    "stopsignal-wrong": Rule("a signal that is none"),
    "healthcheck": Rule("a health check in shell form", differs=("healthcheck-replaced",)),
    "healthcheck-times": Rule("the times and retries of a health check"),
    "healthcheck-none": Rule(
        "no health check, the base's neither", differs=("healthcheck-replaced",)
    ),
    "healthcheck-last": Rule("the last health check counts", differs=("healthcheck-replaced",)),
    "healthcheck-zero": Rule(
        "a time of nothing is one that is not given",
        "documented",
        source=_REFERENCE + "#healthcheck",
    ),
    "healthcheck-start-interval": Rule(
        "the start interval of a health check", "documented", source=_REFERENCE + "#healthcheck"
    ),
    "onbuild": Rule("triggers are kept as they were written"),
    "onbuild-fires": Rule("triggers of the base are carried out first"),
    "onbuild-stage": Rule("triggers of a stage are carried out by a stage that stands on it"),
    "onbuild-once": Rule("triggers are carried out once, not by a stage further on"),
    "onbuild-stage-copy": Rule(
        "a trigger of a stage takes files of another one",
        "documented",
        source=_REFERENCE + "#onbuild",
    ),
    "onbuild-from": Rule("a trigger may not be a FROM"),
    "maintainer": Rule("the author"),
    "run-shell": Rule("RUN in shell form"),
    "run-exec": Rule("RUN in exec form"),
    "run-fails": Rule("a command that fails ends the build"),
    "run-unknown": Rule("a program that is not there"),
    "run-nothing": Rule("a command that changes nothing"),
    "run-removes": Rule("what a command removes is gone"),
    "run-remakes": Rule("a folder that is removed and made again is empty"),
    "run-file-for-folder": Rule("a file in place of a folder"),
    "run-folder-for-file": Rule("a folder in place of a file"),
    "run-link-for-folder": Rule("a link in place of a folder"),
    "run-links": Rule("links of both kinds"),
    "run-modes": Rule("modes, setuid and sticky too"),
    "run-owners": Rule("owners of files, folders and links"),
    "run-renames": Rule("a folder that was moved"),
    "run-special": Rule("FIFOs, and devices of no harm"),
    "run-umask": Rule("what modes new files have"),
    "run-appends": Rule("a file that is changed is the whole file"),
    "run-tmp": Rule("what is left in /tmp stays"),
    "run-deep": Rule("folders in folders"),
    "run-hidden": Rule("names that begin with dots, or look like whiteouts"),
    "run-copy-run": Rule("files copied over files made by a command"),
    "run-stdin": Rule("a command has nothing to read"),
    "run-dev": Rule("devices are there"),
    "run-new-rights": Rule("what a setuid program may do for a user", differs=("no-new-rights",)),
    "run-heredoc": Rule(
        "a script in the Dockerfile", "documented", source=_REFERENCE + "#here-documents"
    ),
    "run-heredoc-shebang": Rule(
        "a script with an interpreter of its own",
        "documented",
        source=_REFERENCE + "#here-documents",
    ),
    "run-heredoc-tabs": Rule(
        "a dash takes the tabs before a script's lines away",
        "documented",
        source=_REFERENCE + "#here-documents",
    ),
    "run-heredoc-input": Rule(
        "a here-document as a command's input", "documented", source=_REFERENCE + "#here-documents"
    ),
    "run-bind": Rule(
        "a bind mount of the context, read-only, gone afterwards",
        "buildah",
        differs=("mount-points",),
    ),
    "run-bind-source": Rule("a bind mount of a folder", "buildah", differs=("mount-points",)),
    "run-bind-from": Rule("a bind mount of another stage", "buildah", differs=("mount-points",)),
    "run-tmpfs": Rule("a tmpfs mount, gone afterwards", "buildah", differs=("mount-points",)),
    "run-cache": Rule("a cache mount is not in the image", "buildah", differs=("mount-points",)),
    "run-secret": Rule(
        "a secret is a file for its command alone", "buildah", differs=("mount-points",)
    ),
    "run-secret-missing": Rule("a secret that is required and not given", "buildah"),
    "run-bind-rw": Rule(
        "what is written to a bind mount is lost",
        "documented",
        source=_REFERENCE + "#run---mounttypebind",
    ),
    "run-mount-point": Rule(
        "a mount point that a command needs is gone afterwards",
        "documented",
        source=_REFERENCE + "#run---mount",
    ),
    "run-secret-env": Rule(
        "a secret as a variable", "documented", source=_REFERENCE + "#run---mounttypesecret"
    ),
    "run-secret-mode": Rule(
        "a secret has a mode and an owner",
        "documented",
        source=_REFERENCE + "#run---mounttypesecret",
    ),
    "run-cache-kept": Rule(
        "a cache is kept from step to step, with its mode and owner",
        "documented",
        source=_REFERENCE + "#run---mounttypecache",
    ),
    "run-bind-owners": Rule(
        "files of a stage keep their owners where they are mounted",
        "documented",
        source=_REFERENCE + "#run---mounttypebind",
    ),
    "run-cache-from": Rule(
        "a new cache holds what its from names",
        "documented",
        source=_REFERENCE + "#run---mounttypecache",
    ),
    "run-mount-relative": Rule(
        "a relative target is below the working directory",
        "documented",
        source=_REFERENCE + "#run---mounttypebind",
    ),
    "run-secret-source": Rule(
        "a secret may be named by its source",
        "documented",
        source=_REFERENCE + "#run---mounttypesecret",
    ),
    "run-network-none": Rule(
        "no network but loopback", "documented", source=_REFERENCE + "#run---network"
    ),
    "stages": Rule("the last stage is the image"),
    "stages-on-stages": Rule("a stage on a stage takes files and settings"),
    "target-name": Rule("--target by name"),
    "target-number": Rule("--target by number"),
    "target-unknown": Rule("--target of a stage that is not there"),
    "stages-unused": Rule(
        "a stage that nobody needs is not built",
        "documented",
        source="https://docs.docker.com/build/building/multi-stage/#differences-between-legacy-builder-and-buildkit",
    ),
    "stages-context": Rule(
        "--build-context takes the place of an image or stage",
        "documented",
        source="https://docs.docker.com/reference/cli/docker/buildx/build/#build-context",
    ),
    "from-settings": Rule("settings of the base are taken over"),
    "from-changed-settings": Rule(
        "settings of the base are changed one by one", differs=("healthcheck-replaced",)
    ),
    "from-scratch-run": Rule("nothing runs in nothing"),
    "from-scratch-empty": Rule(
        "an image of nothing",
        "documented",
        source="https://docs.docker.com/build/building/base-images/#create-a-minimal-base-image-using-scratch",
    ),
    "from-platform": Rule(
        "--platform chooses what an image is for", "documented", source=_REFERENCE + "#from"
    ),
}
