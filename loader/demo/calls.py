"""One call as a line of JSON, cut before the sending times, which a retry changes."""

from collections import Counter
from typing import NamedTuple

from loader.demo import catalog
from loader.demo.clock import DAY_SECONDS, MONTH_START, iso
from loader.demo.moment import Moment
from loader.demo.population import MOBILE, SERVER, WEB, Device, Population, User
from loader.demo.sessions import Draw
from loader.demo.tracks import write_track

_NO_IDENTITY_SHARE = 0.0002
_CAMPAIGN_SHARE = 1 / 3  # of the sessions on the web
_BREAKING_SHARE = 0.036  # of the track calls whose event has a contract
_STRAY_SHARE = 0.002  # of the track calls
_ALL = '"All":true'
_SDKS = ("ajs-next", "ios", "node-next")  # by platform
_REFERRERS = (
    "https://www.google.com/",
    "",
    "https://shop.example.com/",
    "https://shop.example.com/",
)


class Call(NamedTuple):
    """A line: `head` is the event, `tail` says when it was sent and received."""

    received_at: float
    head: str
    tail: str

    def again(self, received_at: float) -> "Call":
        """The same event as a retry of the SDK brings it later."""
        return Call(received_at, self.head, _tail(received_at - 0.2, received_at))


class Scene(NamedTuple):
    """Who calls, when, from where; `page` is JSON without the braces, empty off the web."""

    draw: Draw
    population: Population
    device: Device
    user_number: int
    user: User | None
    is_known: bool
    happened_at: float
    day: float  # since the month began
    page: str


def write_call(draw: Draw, population: Population, planted: Counter[str]) -> Call:
    """The call that `draw` describes; what is special about it is counted in `planted`."""
    scene = _set_scene(draw, population)
    device, h, received_at = scene.device, draw.hash, draw.received_at
    kind = _kind(scene)
    planted["type_" + kind] += 1
    body = _write_track(scene, planted) if kind == "track" else _BODIES[kind](scene)
    if draw.loses_ids < _NO_IDENTITY_SHARE:
        planted["no_identity"] += kind != "identify"  # whose e-mail address identifies
        ids = ""
    else:
        ids = _ids(scene)
    context = _web_context(scene) if device.platform == WEB else device.context
    head = (
        f'{{"messageId":"{_SDKS[device.platform]}-{int(received_at * 1000)}-{h:016x}",'
        f'"type":"{kind}",{ids}{body},"context":{{{context}}},'
        f'"integrations":{{{_ALL if h & 1 else ""}}},'
        f'"originalTimestamp":"{iso(scene.happened_at + device.skew_seconds)}",'
        f'"timestamp":"{iso(scene.happened_at)}","writeKey":"wk_{device.platform}",'
    )
    sent_at = received_at - 0.05 - 0.3 * draw.flaw * draw.flaw
    return Call(received_at, head, _tail(sent_at + device.skew_seconds, received_at))


def _tail(sent_at: float, received_at: float) -> str:
    return f'"sentAt":"{iso(sent_at)}","receivedAt":"{iso(received_at)}"}}\n'


def _set_scene(draw: Draw, population: Population) -> Scene:
    device = population.device(draw.device)
    is_server = device.platform == SERVER  # which always names a user
    number = draw.hash % population.users if is_server and draw.owner < 0 else draw.owner
    left_at = draw.received_at - draw.late_seconds
    return Scene(
        draw,
        population,
        device,
        number,
        population.user(number) if number >= 0 else None,
        draw.is_known or is_server,
        left_at - 0.05 - 4 * draw.delay,
        (left_at - MONTH_START) / DAY_SECONDS,
        _page(draw) if device.platform == WEB else "",
    )


def _kind(scene: Scene) -> str:
    platform, draw = scene.device.platform, scene.draw
    kind = draw.kind
    if platform == WEB and (draw.is_first or kind < 0.42):
        return "page"
    if platform == MOBILE and (draw.is_first or kind < 0.34):
        return "screen"
    if scene.is_known and kind > 0.866:
        return "identify" if kind > 0.90 else "group" if kind > 0.875 else "alias"
    return "track"


def _ids(scene: Scene) -> str:
    platform = scene.device.platform
    ids = "" if platform == SERVER else f'"anonymousId":"{scene.device.anonymous_id}",'
    if scene.is_known and scene.user is not None:
        return f'{ids}"userId":"{scene.user.user_id}",'
    return f'{ids}"userId":null,' if platform == WEB and not scene.draw.hash & 7 else ids


def _search(draw: Draw) -> str:
    if draw.campaign < _CAMPAIGN_SHARE:
        return f"?utm_source={catalog.CAMPAIGNS[int(draw.campaign * 15)][0]}"
    return ""


def _page(draw: Draw) -> str:
    h = draw.hash
    name, path = catalog.PAGES[int(draw.page * 8)]
    path = path % (h % 5000) if "%" in path else path
    search = _search(draw)
    return (
        f'"path":"{path}","referrer":"{_REFERRERS[h & 3]}","search":"{search}",'
        f'"title":"{name} — Example Shop","url":"https://shop.example.com{path}{search}"'
    )


def _web_context(scene: Scene) -> str:
    context = f'{scene.device.context},"page":{{{scene.page}}}'
    if scene.draw.campaign < _CAMPAIGN_SHARE:
        source, medium, name = catalog.CAMPAIGNS[int(scene.draw.campaign * 15)]
        return f'{context},"campaign":{{"source":"{source}","medium":"{medium}","name":"{name}"}}'
    return context


def _write_page(scene: Scene) -> str:
    h = scene.draw.hash
    name, _ = catalog.PAGES[int(scene.draw.page * 8)]
    category = '"category":"electronics",' if h & 5 == 1 else ""
    section = f',"section":{h % 9}' if h & 2 else ""
    return f'"name":"{name}",{category}"properties":{{{scene.page},"name":"{name}"{section}}}'


def _write_screen(scene: Scene) -> str:
    h, name = scene.draw.hash, catalog.SCREENS[int(scene.draw.page * 6)]
    return (
        f'"name":"{name}","properties":{{"name":"{name}",'
        f'"variation":"{"blue" if h & 1 else "red"}","depth":{h % 100 / 10}}}'
    )


def _write_identify(scene: Scene) -> str:
    traits = scene.user.traits if scene.user else ""
    age = f',"age":{18 + scene.user_number % 60}' if scene.day > 12 else ""
    tags = "" if scene.draw.hash & 15 else ',"tags":["beta","vip"]'
    return f'"traits":{{{traits},"last_login":"{iso(scene.happened_at)}"{age}{tags}}}'


def _write_group(scene: Scene) -> str:
    number = scene.user_number if scene.draw.hash % 50 else scene.user_number * 7
    company = number % scene.population.companies  # one call in fifty names another one
    return (
        f'"groupId":"company_{company}","traits":{{"name":"Example {company} Inc",'
        f'"industry":"{catalog.INDUSTRIES[company % 5]}","employees":{25 + company % 4000},'
        f'"plan":"{("pro", "enterprise")[company % 2]}",'
        f'"website":"https://c{company}.example.com"}}'
    )


def _write_alias(scene: Scene) -> str:
    if scene.device.platform == SERVER:
        return f'"previousId":"legacy_{scene.user_number}"'
    return f'"previousId":"{scene.device.anonymous_id}"'


_BODIES = {
    "page": _write_page,
    "screen": _write_screen,
    "identify": _write_identify,
    "group": _write_group,
    "alias": _write_alias,
}


def _write_track(scene: Scene, planted: Counter[str]) -> str:
    draw = scene.draw
    email = scene.user.email if scene.user else None
    breaks = draw.breaks < _BREAKING_SHARE
    moment = Moment(draw.hash, scene.day, scene.happened_at, breaks, draw.flaw, email)
    name, properties, broken_rule = write_track(draw.event, moment)
    if draw.strays < _STRAY_SHARE:
        # The first two differ from a planned name in spelling only, and share its table.
        strays = ("order completed", "Order-Completed", f"Misc Event {draw.hash % 40}")
        name = strays[draw.hash % 3]
        planted["unplanned"] += 1
    elif broken_rule:
        planted["violation_" + broken_rule] += 1
    return f'"event":"{name}","properties":{{{properties}}}'
