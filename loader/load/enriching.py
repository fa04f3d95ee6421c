"""Enrichment of the kernel's chunks: a column at a time, with the functions that single events get.

Each distinct text is asked about once. The columns have one type for ever, so that what is added
fits; a workspace whose events gave one of them another type before goes without the kernel.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from loader.event.values import ARROW, ColumnType
from loader.load.kernel import PARTS, Chunk
from loader.transformations import Enrichment, campaign_of, client_of, is_bot
from loader.warehouse import Catalog
from loader.warehouse.catalog import TypeState

_AGENT, _IP = "context_user_agent", "context_ip"
_SEARCH, _URL, _CAMPAIGN = "context_page_search", "context_page_url", "context_campaign"
_CLIENT: Final = {
    "browser": ("name", "version"),
    "os": ("name", "version"),
    "device": ("type",),
}
_CAMPAIGN_KEYS: Final = ("source", "medium", "name", "term", "content")
_BOT, _COUNTRY = "context_bot", "context_location_country"
_TYPES: Final = {
    **dict.fromkeys((_AGENT, _IP, _SEARCH, _URL, _COUNTRY), ColumnType.TEXT),
    **{f"context_{part}_{key}": ColumnType.TEXT for part, keys in _CLIENT.items() for key in keys},
    **{f"{_CAMPAIGN}_{key}": ColumnType.TEXT for key in _CAMPAIGN_KEYS},
    _BOT: ColumnType.BOOL,
}

Columns = dict[str, pa.Array]


def fix_types(catalog: Catalog) -> bool:
    """Give the columns of enrichment their types, where none is; whether all have them now."""
    found = (catalog.context.setdefault(name, TypeState(kind)) for name, kind in _TYPES.items())
    return all(state.type is kind for state, kind in zip(found, _TYPES.values(), strict=True))


def enrich_chunk(enrichment: Enrichment, chunk: Chunk) -> Columns:
    """The chunk's added columns with those that enrichment changed or added."""
    columns = dict(chunk.added)
    if _AGENT in columns:
        agents = columns[_AGENT].dictionary_encode()
        if enrichment.user_agent:
            for part, keys in _CLIENT.items():
                for key in keys:
                    told = _told(agents, _teller(part, key))
                    _add(columns, f"context_{part}_{key}", _where_absent(told, chunk, part))
        if enrichment.bots:
            told = _told(agents, lambda agent: is_bot(agent) or None, ColumnType.BOOL)
            _add(columns, _BOT, told)
    if enrichment.campaign:
        _add_campaign(columns)
    if enrichment.country is not None and _IP in columns:
        told = _told(columns[_IP].dictionary_encode(), enrichment.country.country_of)
        _add(columns, _COUNTRY, _where_absent(told, chunk, "location"))
    return columns


def _teller(part: str, key: str) -> Callable[[str], str | None]:
    return lambda agent: client_of(agent).get(part, {}).get(key)


def _told(
    texts: pa.DictionaryArray, tell: Callable[[str], Any], kind: ColumnType = ColumnType.TEXT
) -> pa.Array:
    """What `tell` says of each text; it is asked once about each."""
    answers = [tell(text) if text else None for text in texts.dictionary.to_pylist()]
    return pc.take(pa.array(answers, ARROW[kind]), texts.indices)


def _where_absent(told: pa.Array, chunk: Chunk, part: str) -> pa.Array:
    """`told` for the rows whose context says nothing of `part` itself."""
    bits = chunk.fixed["parts"].to_numpy(zero_copy_only=False)
    is_absent = (bits & (1 << PARTS.index(part))) == 0
    return told if is_absent.all() else pc.if_else(pa.array(is_absent), told, None)


def _add(columns: Columns, name: str, told: pa.Array) -> None:
    """Fill with `told` what is null in the column `name`."""
    if told.null_count < len(told):
        columns[name] = pc.coalesce(columns[name], told) if name in columns else told


def _add_campaign(columns: Columns) -> None:
    search, url = columns.get(_SEARCH), columns.get(_URL)
    if search is None and url is None:
        return
    if search is not None and url is not None:
        has_search = pc.fill_null(pc.not_equal(search, ""), fill_value=False)
        addresses = pc.if_else(has_search, search, url)
    else:
        addresses = url if search is None else search
    has_parameters = pc.fill_null(pc.match_substring(addresses, "utm_"), fill_value=False)
    if not pc.any(has_parameters).as_py():
        return
    addresses = pc.if_else(has_parameters, addresses, None)
    if _CAMPAIGN in columns:  # a campaign that is no object is left as it is
        addresses = pc.if_else(columns[_CAMPAIGN].is_null(), addresses, None)
    campaigns = addresses.dictionary_encode()
    found: list[Mapping[str, str]] = [
        campaign_of(address) for address in campaigns.dictionary.to_pylist()
    ]
    for key in _CAMPAIGN_KEYS:
        name = f"{_CAMPAIGN}_{key}"
        told = pc.take(pa.array([one.get(key) for one in found], pa.string()), campaigns.indices)
        own = columns.get(name)
        if own is None:
            _add(columns, name, told)
        else:  # "" says nothing either, but stays where nothing is told
            says_nothing = pc.fill_null(pc.equal(own, ""), fill_value=True)
            columns[name] = pc.coalesce(pc.if_else(says_nothing, told, own), own)
