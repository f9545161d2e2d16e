"""What examples/peers/edn.py makes of each text of a JSON array: every value it holds, written again, or nil if one is refused."""
import json, os, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../examples/peers"))
from edn import Reader, WatError, write


def again(text):
    with tempfile.TemporaryFile() as file:
        file.write(text.encode("utf-8", "surrogatepass"))
        file.seek(0)
        reader, values = Reader(file.fileno()), []
        try:
            while True:
                values.append(write(reader.read()))
        except WatError as error:
            print(f"{error.message[:100]}", file=sys.stderr)
            return None
        except EOFError:
            return tuple(values)


for text in json.load(sys.stdin):
    print(write(again(text)), flush=True)
