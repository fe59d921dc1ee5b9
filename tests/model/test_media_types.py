from __future__ import annotations

from pytest_images.model import media_types


def test_no_media_type_belongs_to_two_kinds() -> None:
    kinds = [
        media_types.INDEXES,
        media_types.MANIFESTS,
        media_types.CONFIGS,
        media_types.LAYERS,
    ]
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))


def test_every_manifest_and_index_that_is_read_is_also_asked_for() -> None:
    assert set(media_types.ACCEPTED) == media_types.INDEXES | media_types.MANIFESTS


def test_foreign_layers_are_layers() -> None:
    assert media_types.FOREIGN_LAYERS < media_types.LAYERS
