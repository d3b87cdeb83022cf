"""Tests of `cache_targets`, each with real servers."""
