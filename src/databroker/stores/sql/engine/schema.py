"""The tables, and how older ones become newer ones.

=============  ==============================================================
table          a row is
=============  ==============================================================
runs           a run; its integer key is its start time in nanoseconds, moved
               on by one until free, so that each index that ends in the key
               is in "newest first" order, in whatever order runs arrive
documents      a descriptor, resource or stream resource; or a stop whose
               start has not arrived
paths          a path in a RunStart (document 0), RunStop (1) or the data keys of
               a run (2), and a kind of value that is there; document 3 are
               marks of the runs themselves, and the words of their texts
numbers, texts a value at such a path: the index behind every search
series         the rows of one owner (the events of a descriptor, the datum
               documents of a resource, ...): how many are in blocks
tail           a row that is not yet in a block
blocks         consecutive rows of a series, and where their segments are
segments       some columns of a block, as an Arrow IPC stream; a number is
               never used again, so that a reader cannot mistake one for another
datum_owners   where to find a datum whose id does not begin with its resource
meta           a fact about the database
=============  ==============================================================

What is called body, start, stop, layout (and the value of a fact) has a
checksum, of the other columns of its row too; that of a segment stands in the
layout (see `bodies`).

A number in the index is an integer or a float, as it was given; text is its UTF-8, which
holds, and orders, every text that Python has.
"""

from __future__ import annotations

START, STOP, DATA_KEYS, RUNS = range(4)
"""What `paths.document` says."""
