"""Every exception that databroker raises on purpose, in one tree.

All of them are a :class:`DatabrokerError`. Each leaf is also a subclass of
the built-in that databroker 1.x raised in the same situation, so that an old
``except KeyError`` keeps working.

Examples
--------
>>> issubclass(NoSuchRun, KeyError) and issubclass(NoSuchRun, DatabrokerError)
True
>>> print(NoSuchRun("no run whose uid begins with 'abc'"))
no run whose uid begins with 'abc'
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from ._util.printable import printable
from ._util.secrets import hide_passwords


class DatabrokerError(Exception):
    """The root of the tree: catch this to catch whatever databroker raises.

    Attributes
    ----------
    code
        What kind of error it is, for programs: the name of the class, in lower case with
        hyphens. It stays the same from one version to the next.

    Examples
    --------
    >>> NoSuchRun("no run whose uid begins with 'abc'").code
    'no-such-run'
    """

    code: ClassVar[str] = "databroker-error"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()

    def __str__(self) -> str:
        # KeyError would show the repr of its argument; people want the sentence, and
        # a terminal must not obey what a document has put into it.
        return printable(str(self.args[0]) if len(self.args) == 1 else super().__str__())


class _OfSettings(DatabrokerError):
    """What settings say may be a URI in the wrong place, with a password in it: shown to nobody."""

    def __init__(self, *args: Any) -> None:
        # Not only as text: the repr of an error shows its arguments.
        super().__init__(*(hide_passwords(arg) if isinstance(arg, str) else arg for arg in args))


class NotSupported(DatabrokerError, NotImplementedError):
    """Something that databroker does not do, or not yet; the message says what does."""


# -- finding a run ---------------------------------------------------------


class NoSuchRun(DatabrokerError, KeyError):
    """No run has this uid, uid prefix or scan_id."""


class AmbiguousPrefix(DatabrokerError, ValueError):
    """Several runs have a uid that begins with this prefix."""


class TooFarBack(DatabrokerError, IndexError):
    """``db[-n]`` reaches past the oldest run."""


class InvalidKey(DatabrokerError, ValueError):
    """``db[...]`` was given a slice or key that has no meaning."""


class KeyOfWrongType(InvalidKey, TypeError):
    """``db[...]`` was given something that is no key of any kind, such as None."""


class InvalidQuery(DatabrokerError, ValueError):
    """A search that says nothing sensible: a misspelt operator, a bad bound."""


class UnsupportedQuery(DatabrokerError, NotImplementedError):
    """A search that this library does not answer, such as ``$where``."""


class QueryTimeout(InvalidQuery, TimeoutError):
    """A pattern took longer than the time limit to match."""


# -- documents -------------------------------------------------------------


class InvalidDocument(DatabrokerError, ValueError):
    """A document that cannot be placed: a required key is missing, say."""


class UnknownDocumentKind(InvalidDocument, AttributeError):
    """The name that came with a document is none of the event model's."""


class UnknownDescriptor(InvalidDocument, KeyError):
    """An event refers to a descriptor that was never inserted."""


class ConflictingDocument(InvalidDocument, FileExistsError):
    """A different document with this identity is already stored."""


class RunIsRunning(DatabrokerError, ValueError):
    """A run that is still being written cannot be closed by somebody else."""


class DocumentIsReadOnly(DatabrokerError, TypeError):
    """Documents handed out are read-only; ``doc.copy()`` gives a plain dict."""


# -- reading ---------------------------------------------------------------


class NoSuchField(DatabrokerError, KeyError):
    """No requested stream and no header has a field of this name."""


class NoSuchStream(DatabrokerError, KeyError):
    """The run has no stream of this name."""


class NoHandler(DatabrokerError, KeyError):
    """No handler is known for the spec of a resource."""


class DuplicateHandler(DatabrokerError, RuntimeError):
    """A spec has another handler already."""


class ShapesDiffer(DatabrokerError, ValueError):
    """The values of an external field have different shapes, and make no array.

    Attributes
    ----------
    field
        The name of the field, where it is known.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ExternalDataMissing(DatabrokerError, OSError):
    """An external file or dataset cannot be read."""


class FileMissing(ExternalDataMissing, FileNotFoundError):
    """There is no file where the documents, or the root map, say that it is."""


class FileForbidden(ExternalDataMissing, PermissionError):
    """The file is there, but this user may not read it."""


class FileRefused(ExternalDataMissing, PermissionError):
    """The documents point to a file outside of the `allowed_roots` of the configuration."""


class FileDamaged(ExternalDataMissing):
    """The file is there, but it is not, or not wholly, what it should be."""


class DatasetMissing(ExternalDataMissing, KeyError):
    """The file is there, but the dataset in it is not."""


class FramesMissing(ExternalDataMissing):
    """The file has fewer frames than the documents speak of: it is being written, perhaps."""


class HandlerFailed(ExternalDataMissing):
    """The handler raised an exception, which is the cause of this one."""


# -- files and what is made of data ------------------------------------------


class OutsideOfRoot(DatabrokerError, RuntimeError):
    """A file is not below the root of its resource, and has no place below a new one."""


class CopyRefused(DatabrokerError, FileExistsError):
    """There is something else already where a copy should be."""


class CopyFailed(DatabrokerError, OSError):
    """A file could not be copied: the disk is full, say."""


class CopyDiffers(CopyFailed):
    """What was written is not what was read, or what was read changed meanwhile."""


class NoSuchFolder(DatabrokerError, NotADirectoryError):
    """A folder to look in is not there, or is none."""


class ProjectionError(DatabrokerError, ValueError):
    """A projection cannot be carried out."""


class EventsDoNotFit(DatabrokerError, RuntimeError, ValueError):
    """Events cannot be turned about, or joined, as was asked."""


# -- configuration and stores ----------------------------------------------


class ConfigurationNotFound(_OfSettings):
    """No configuration has this name: the parent of both leaves below."""


class UnknownBrokerName(ConfigurationNotFound, AttributeError, LookupError):
    """``Broker.named`` does not know this name."""


class ConfigurationFileNotFound(ConfigurationNotFound, FileNotFoundError):
    """``lookup_config`` found no file for this name."""


class InvalidConfiguration(_OfSettings, ValueError):
    """A configuration says something that cannot be carried out."""


class StoreUnavailable(_OfSettings, ConnectionError):
    """The place where documents live cannot be reached or opened."""


class StoreAway(StoreUnavailable):
    """The server of a store takes nothing now, and may later: it is away, slow, locked or full."""


class ServerBusy(StoreAway):
    """The server of a store has too much to do now; the same can be asked soon."""


class TooManyRequests(ServerBusy):
    """The server of a store answers as many questions of this user as it does at once."""


class StoreIsReadOnly(_OfSettings, PermissionError):
    """The store can be read, but not written to."""


class AccessRefused(StoreUnavailable, PermissionError):
    """The server of a store wants a token, and was given none or another one."""


class NoSuchKey(DatabrokerError, KeyError):
    """No key that lets into a server has this name."""


class NotPermitted(_OfSettings, PermissionError):
    """The server of a store knows who asks, but they may not do this, or not to this run."""


class ServerFailed(StoreUnavailable):
    """The server of a store failed at what it was asked; the log of the server says why."""


class InvalidRequest(DatabrokerError, ValueError):
    """What came to a server over the network is no question that it knows."""


class RequestTooLarge(InvalidRequest):
    """What came to a server over the network is more than it takes at once."""


class RequestTooSlow(StoreAway):
    """What was sent to a server over the network came too slowly to be waited for."""


class StoreDamaged(_OfSettings, RuntimeError):
    """The stored bytes are not what databroker wrote."""


class ForeignStore(StoreUnavailable):
    """The file or database belongs to something else, or to a newer databroker."""


class MissingExtra(DatabrokerError, ImportError):
    """An optional package is not installed."""


class RemovedModule(DatabrokerError, ImportError):
    """A module of earlier databrokers is no more; the message says what to use instead."""


class LossyDocumentWarning(UserWarning):
    """A value in a document was kept in another form (see the docs: odd input)."""


class DamageWarning(UserWarning):
    """Something stored is damaged and was left out; everything else is as it should be."""


class MissingLogWarning(UserWarning):
    """A file is a copy that lacks what was beside it, so that documents may be missing."""


class SpillWarning(UserWarning):
    """Documents wait on this machine, as the server of their store takes none (docs: spilling)."""


class SlowSearchWarning(UserWarning):
    """A search reads the metadata of very many runs, one by one (docs: MongoDB)."""


class UnavailableWarning(UserWarning):
    """One of several sources is away: its runs are left out (docs: several sources)."""


class NothingFoundWarning(UserWarning):
    """Nothing is there: no key, stream, device or field of this name, or no runs at an address."""
