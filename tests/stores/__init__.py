"""Tests of stores; those of files share `files`."""
