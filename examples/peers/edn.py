"""EDN for a peer in Python: `Reader(fd).read()` and `write(value)`, with the standard library alone.

nil None, [1] tuple, (1) List, {} Map (a dict), #{} frozenset, "s" str, \\c Char, :k Keyword, s Symbol, 1 int,
1N Big (an int), 1.5 float, 1.5M Decimal, 1/2 Fraction, #wat/bytes bytes, any other tag Tagged.

Left out: dates and uuids stay Tagged; metadata is refused; what Python holds equal (1, 1.0M, true) is one key, so a
map or set with two of them is refused as having duplicates; so are numbers of over 4300 digits and nesting deeper than
Python's recursion. The writer does not check the names of keywords and symbols.
"""

import base64
import codecs
import os
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Keyword:
    name: str


@dataclass(frozen=True)
class Symbol:
    name: str


@dataclass(frozen=True)
class Char:
    text: str


@dataclass(frozen=True)
class Tagged:
    tag: str
    value: object


class List(tuple):
    """Equal to the vector of the same items, as in Clojure, but written with its own brackets."""


class Map(dict):
    """A dict that may be a key or a member; it must not be changed while it is one."""

    def __hash__(self):
        return hash(frozenset(self.items()))


class Big(int):
    """What a JavaScript peer holds as a bigint."""


class WatError(Exception):
    """A fault. `code` is its type without the namespace: handler, timeout, offline, malformed, too-large …"""

    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


# Writing

CONSTANTS = {"nil": None, "true": True, "false": False}
CHARACTERS = {"newline": "\n", "return": "\r", "space": " ", "tab": "\t", "formfeed": "\f", "backspace": "\b"}
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "b": "\b", '"': '"', "\\": "\\"}
FLOATS = {"inf": "##Inf", "-inf": "##-Inf", "nan": "##NaN"}
MAX_SAFE_INTEGER = 2**53 - 1


def write(value, refer=None):
    """The value as EDN, on one line. `refer`, asked of bytes and of what is no EDN, may give what stands for it."""

    def each(one):
        return write(one, refer)

    for name, constant in CONSTANTS.items():
        if value is constant:
            return name
    if isinstance(value, int):
        return f"{int(value)}N" if isinstance(value, Big) or abs(value) > MAX_SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return FLOATS.get(repr(value)) or repr(value)
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value}M"
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, str):
        return '"' + re.sub(r'["\\\x00-\x1f\x7f\ud800-\udfff]', lambda match: escaped(match[0]), value) + '"'
    if isinstance(value, Keyword):
        return f":{value.name}"
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, Char):
        names = [name for name, text in CHARACTERS.items() if text == value.text]
        return "\\" + (names[0] if names else value.text if value.text.isprintable() else f"u{ord(value.text):04x}")
    if isinstance(value, Tagged):
        if value.tag == "wat/ref":
            raise WatError("denied", f"#{value.tag} is reserved")
        return f"#{value.tag} {each(value.value)}"
    if isinstance(value, dict):
        return "{" + " ".join(f"{each(key)} {each(one)}" for key, one in value.items()) + "}"
    if isinstance(value, List):
        return "(" + " ".join(map(each, value)) + ")"
    if isinstance(value, (tuple, list)):
        return "[" + " ".join(map(each, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return "#{" + " ".join(map(each, value)) + "}"
    if refer and (text := refer(value)):
        return text
    if isinstance(value, (bytes, bytearray)):
        return f'#wat/bytes "{base64.b64encode(value).decode()}"'
    raise WatError("encode", f"EDN cannot carry {type(value).__name__}")


def escaped(character):
    letters = [letter for letter, text in ESCAPES.items() if text == character]
    return "\\" + (letters[0] if letters else f"u{ord(character):04x}")


# Reading

BLANK = r",\t\n\v\f\r \x1c-\x1f\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
SPACE = re.compile(f"[{BLANK}]+")
WORD = re.compile(rf'[^{BLANK}"\\;()\[\]{{}}]+')
LINE = re.compile(r"[^\n]+")
TEXT = re.compile(r'[^"\\]+')
CLOSING = {"(": ")", "[": "]", "{": "}"}
REST = r"(?:[^/:@`~^]|:(?=[^/:]))*"
PART = rf"[^/:\d@`~^]{REST}"
NAME = re.compile(rf"/|(?:{PART}/)*(?:{PART}|/)")
KEYWORD = re.compile(rf":(?:{NAME.pattern}|\d{REST})")
INTEGER = re.compile(r"([+-]?)(?:(0[xX][0-9a-fA-F]+)|([1-9]\d?)[rR]([0-9a-zA-Z]+)|(0|[1-9]\d*))(N?)")
RATIO = re.compile(r"([+-]?(?:0|[1-9]\d*))/([1-9]\d*)")
REAL = re.compile(r"([+-]?(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?)(M?)")
PIECE = re.compile(rb"[^\n\xff]+|.", re.DOTALL)
RAW_MARK, RAW_BYTES = b"\xff", b"\x01"  # bytes ahead of a form: these, the length as 32 bits, the highest first
NO_TEXT = "\udcff"  # what the decoder makes of a byte that is no UTF-8; to count it is a ValueError
GAP = object()  # what a discard leaves


class Input:
    """The bytes of a descriptor. To look at the next one waits for it; at the end it is empty."""

    def __init__(self, fd):
        self.fd, self.bytes, self.at = fd, b"", 0

    def peek(self):
        if self.at == len(self.bytes):
            self.bytes, self.at = os.read(self.fd, 65536), 0
        return self.bytes[self.at : self.at + 1]

    def piece(self):
        """A line feed, a mark, or what has come up to the next of them."""
        match = PIECE.match(self.bytes, self.at)
        self.at = match.end()
        return match[0]

    def take(self, length, keep=True):
        """So many bytes, or all there are to the end."""
        parts = []
        while length and self.peek():
            part = self.bytes[self.at : self.at + length]
            self.at += len(part)
            length -= len(part)
            parts.append(part if keep else b"")
        return b"".join(parts)


class Reader:
    """Takes values from a descriptor, however they are split: `read()` waits for the next one; EOFError is the end.

    What is not EDN or over the limit raises WatError, and the next `read()` goes on behind it. `head` is how that
    form began, and so tells whose call it was. With `takes_raw`, bytes may stand ahead of a form, and `#wat/bytes n` in
    it for the nth of them; with `by_lines`, each form has a line to itself.
    """

    def __init__(self, fd, limit=16 * 1024 * 1024):
        self.input, self.limit = Input(fd), limit
        self.decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self.text, self.at = "", 0
        self.takes_raw = self.by_lines = self.inside = self.crowded = False  # inside a form; one ended on this line
        self.raws, self.raw_size = [], 0
        self.begin()

    def begin(self):
        self.size, self.head, self.discarding = self.raw_size, "", 0

    def read(self):
        self.raws, self.raw_size = [], 0
        while True:
            self.skip()
            self.begin()
            try:
                value = self.whole()
            except EOFError:
                if not self.size and not self.raws:
                    raise
                ended = "line" if self.input.peek() else "input"
                data = Map({Keyword("incomplete"): True}) if ended == "input" else None
                raise WatError("malformed", f"the {ended} ends inside a form", data) from None
            except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
                self.take(LINE, keep=False)
                raise WatError("malformed", f"not EDN: {error}") from None
            if value is not GAP and self.size > self.limit:
                raise WatError("too-large", f"a form of {self.size} bytes, and {self.limit} are allowed")
            self.head = ""
            if value is not GAP:
                return value

    def whole(self):
        self.need()
        if self.by_lines and self.crowded:
            raise ValueError("two forms on one line")
        self.inside = True
        try:
            value = self.form()
        finally:
            self.inside = False
        self.crowded = value is not GAP
        return value

    def form(self):
        first = self.need()
        if first in CLOSING:
            return self.make({"(": List, "[": tuple, "{": to_map}[first], self.items(CLOSING[first]))
        if first == '"':
            return self.string()
        if first == "\\":
            self.next()
            return self.make(to_char, self.next() + self.take(WORD))
        if first == "#":
            return self.dispatch()
        if first in ")]}":
            raise ValueError(f"nothing is open that {first} closes")
        return self.make(to_atom, self.take(WORD))

    def dispatch(self):
        self.next()
        if self.need() == "{":
            return self.make(to_set, self.items("}"))
        if self.peek() == "_":
            self.next()
            self.discarding += 1
            self.value()
            self.discarding -= 1
            return GAP
        tag = self.take(WORD)
        if tag in ("#Inf", "#-Inf", "#NaN"):
            return float(tag[1:])
        value = self.value()
        if tag == "wat/bytes" and type(value) is int and self.takes_raw:
            return self.make(self.raw_at, value)
        return self.make(to_tagged, tag, value)

    def value(self):
        """The next form that is not discarded."""
        while True:
            self.skip()
            form = self.form()
            if form is not GAP:
                return form

    def items(self, closing):
        self.next()
        items = []
        while True:
            self.skip()
            if self.need() == closing:
                self.next()
                return items
            form = self.form()
            if form is not GAP and self.held():
                items.append(form)

    def string(self):
        self.next()
        parts = []
        while True:
            text = self.take(TEXT)
            if self.next() == '"':
                return self.make(to_text, [*parts, text])
            escape = self.next()
            if escape == "u":
                escape += "".join(self.next() for _ in range(4))
            while escape[0] in "01234567" and len(escape) < 3 and self.need() in "01234567":
                escape += self.next()
            if self.held():
                parts += text, from_escape(escape)

    def held(self):
        """What is over the limit, or discarded, is read to its end but not kept."""
        return self.size <= self.limit and not self.discarding

    def make(self, convert, *parts):
        return convert(*parts) if self.held() else None

    # The text, piece by piece: nothing is looked at twice, however long a form is and however it is split.

    def skip(self):
        while self.take(SPACE, keep=False) or self.peek() == ";":
            if self.peek() == ";":
                self.take(LINE, keep=False)

    def peek(self):
        """The next character; empty at the end of input, or of the line that the form has to itself."""
        while self.at == len(self.text):
            first = self.input.peek()
            if first == b"\n":
                if self.inside and self.by_lines:
                    return ""
                self.crowded = False
            is_raw = first == RAW_MARK and self.takes_raw
            if first and not is_raw:
                self.text = self.decoder.decode(self.input.piece())
            else:
                self.text = self.decoder.decode(b"", True) or (self.take_raw() if is_raw else "")
            self.at = 0
            if not first and not self.text:
                return ""
        return self.text[self.at]

    def take_raw(self):
        """Takes bytes that stand ahead of a form; what stands elsewhere, or is of another kind, is no text."""
        self.input.take(1)
        if self.input.peek() != RAW_BYTES:
            return NO_TEXT
        length = int.from_bytes(self.input.take(5)[1:], "big")
        if self.inside:
            self.input.take(length, keep=False)
            return NO_TEXT
        self.raw_size += length
        self.raws.append(self.input.take(length, keep=self.raw_size <= self.limit))
        return ""

    def raw_at(self, number):
        if not 0 <= number < len(self.raws):
            raise ValueError("#wat/bytes names no bytes ahead of its form")
        return self.raws[number]

    def need(self):
        character = self.peek()
        if not character:
            raise EOFError
        return character

    def next(self):
        character = self.need()
        self.at += 1
        self.count(character)
        return character

    def take(self, pattern, keep=True):
        """All that matches from here on, over as many reads as it takes."""
        parts = [""]
        while self.peek():
            match = pattern.match(self.text, self.at)
            if not match:
                break
            self.at = match.end()
            self.count(match[0])
            parts.append(match[0] if keep and self.held() else "")
        return "".join(parts)

    def count(self, text):
        if self.inside:
            self.size += len(text.encode())
            self.head = (self.head + text[:40])[:40]


def to_text(parts):
    # Two \\u escapes may be the halves of one character.
    return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def from_escape(escape):
    if escape in ESCAPES:
        return ESCAPES[escape]
    if re.fullmatch("u[0-9a-fA-F]{4}", escape):
        return chr(int(escape[1:], 16))
    if re.fullmatch("[0-3]?[0-7]{1,2}", escape):
        return chr(int(escape, 8))
    raise ValueError(f"\\{escape} is no escape")


def to_char(name):
    if len(name) == 1:
        return Char(name)
    if name in CHARACTERS:
        return Char(CHARACTERS[name])
    if name[0] in "uo" and not re.match("u[dD][89a-fA-F]", name):
        return Char(from_escape(name.removeprefix("o")))
    raise ValueError(f"\\{name[:40]} is no character")


def to_atom(word):
    if word in CONSTANTS:
        return CONSTANTS[word]
    if re.match(r"[+-]?\d", word):
        return to_number(word)
    if KEYWORD.fullmatch(word):
        return Keyword(word[1:])
    if NAME.fullmatch(word):
        return Symbol(word)
    raise ValueError(f"{word[:40]} is no name")


def to_number(word):
    if match := INTEGER.fullmatch(word):
        sign, hexadecimal, base, digits, decimal, big = match.groups()
        number = int(hexadecimal or digits or decimal, 16 if hexadecimal else int(base or 10))
        return (Big if big else int)(-number if sign == "-" else number)
    if match := RATIO.fullmatch(word):
        ratio = Fraction(int(match[1]), int(match[2]))
        return int(ratio) if ratio.denominator == 1 else ratio
    if match := REAL.fullmatch(word):
        return Decimal(match[1]) if match[2] else float(match[1])
    raise ValueError(f"{word[:40]} is no number")


def to_map(items):
    if len(items) % 2:
        raise ValueError("a map has a key without a value")
    return distinct(Map(zip(items[::2], items[1::2])), len(items) // 2)


def to_set(items):
    return distinct(frozenset(items), len(items))


def distinct(made, length):
    if len(made) != length:
        raise ValueError("a key or member stands there twice")
    return made


def to_tagged(tag, value):
    if tag == "wat/bytes":
        return base64.b64decode(value, validate=True)
    if tag.startswith(":") and NAME.fullmatch(tag[1:]):
        return Map((in_namespace(tag[1:], key), one) for key, one in value.items())
    if NAME.fullmatch(tag):
        return Tagged(tag, value)
    raise ValueError(f"#{tag[:40]} is no tag")


def in_namespace(namespace, key):
    """#:a{:b 1 :_/c 2} is {:a/b 1 :c 2}."""
    if not isinstance(key, (Keyword, Symbol)):
        return key
    if key.name.startswith("_/"):
        return type(key)(key.name[2:])
    return key if "/" in key.name else type(key)(f"{namespace}/{key.name}")
