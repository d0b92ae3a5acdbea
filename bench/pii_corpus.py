# SPDX-License-Identifier: Apache-2.0
"""A labelled corpus for `lichen pii`: lines with personal data in contexts, near misses, and lines without any; the same for the same seed.

Values are made here from the published rules (check digits are computed by this file, not by lichen's code); bench/pii.py holds them against
python3-stdnum, too. A near miss is a value with a wrong check digit, length, range or surrounding, in the same contexts.
"""
import base64
import hashlib
import json
import random
import string

DIGITS, UPPER, LOWER = string.digits, string.ascii_uppercase, string.ascii_lowercase
WORD = string.ascii_letters + DIGITS
B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
B32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
IBANS = {"DE": "n18", "GB": "a4n14", "FR": "n10c11n2", "ES": "n20", "IT": "a1n10c12", "NL": "a4n10", "CH": "n5c12", "BE": "n12", "PL": "n24",
         "SE": "n20", "NO": "n11", "AT": "n16", "PT": "n21", "IE": "a4n14", "DK": "n14", "FI": "n14", "MT": "a4n5c18", "SA": "n2c18"}


def luhn(digits):
    total = sum((2 * d if d < 5 else 2 * d - 9) if i % 2 else d for i, d in enumerate(map(int, reversed(digits))))
    return str(-total % 10)


def verhoeff(digits):
    def times(a, b):
        r = a + b if a < 5 else a - b
        return r % 5 + (5 if (a < 5) != (b < 5) else 0)

    permute, check = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], 0
    for i, d in enumerate(reversed(digits + "0")):
        d = int(d)
        for _ in range(i % 8):
            d = permute[d]
        check = times(check, d)
    return next(str(d) for d in range(10) if times(check, d) == 0)


def base58check(payload):
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = B58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def bech32(version, program):
    def steps(values):
        check = 1
        for v in values:
            top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ v
            for i, g in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= g if top >> i & 1 else 0
        return check

    bits = "".join(f"{b:08b}" for b in program)
    data = [version] + [int(bits[i:i + 5].ljust(5, "0"), 2) for i in range(0, len(bits), 5)]
    check = steps([3, 3, 0, 2, 3] + data + [0] * 6) ^ (0x2BC830A3 if version else 1)
    return "bc1" + "".join(B32[d] for d in data + [check >> 5 * (5 - i) & 31 for i in range(6)])


class Maker:
    """Values: a method of an entity's name makes one, `bad_` before it a near miss of it."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, alphabet, n):
        return "".join(self.r.choice(alphabet) for _ in range(n))

    def other(self, wrong, alphabet):
        return self.r.choice([c for c in alphabet if c != wrong])

    def spoil_last(self, value, alphabet=DIGITS):
        return value[:-1] + self.other(value[-1], alphabet)

    def pick(self, *choices):
        return self.r.choice(choices)

    def grouped(self, value, sizes, separator):
        parts, at = [], 0
        for size in sizes:
            parts.append(value[at:at + size])
            at += size
        return separator.join(p for p in parts + [value[at:]] if p)

    # --- accounts ---

    def card_digits(self):
        prefix, length = self.pick(("4", 16), ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16),
                                   ("644", 16), ("65", 16), ("300", 14), ("36", 14), ("3528", 16), ("3589", 16), ("6212", 16), ("6304", 16), ("2202", 16), ("4", 13), ("6759", 18))
        body = prefix + self.some(DIGITS, length - 1 - len(prefix))
        return body + luhn(body + "0")

    def card_form(self, n):
        sizes = [4, 6] if len(n) in (14, 15) else [4, 4, 4]
        return n if len(n) not in (14, 15, 16) else self.grouped(n, sizes, self.pick(" ", "-", "", ""))

    def CREDIT_CARD(self):
        return self.card_form(self.card_digits())

    def bad_CREDIT_CARD(self):
        n = self.card_digits()
        other = "9" + n[1:-1]
        return self.pick(self.card_form(self.spoil_last(n)), other + luhn(other + "0"), n + self.some(DIGITS, 7), "x" + n, "0." + n)

    def IBAN_CODE(self):
        country = self.pick(*IBANS)
        form, body, at = IBANS[country], "", 0
        while at < len(form):
            kind, at = form[at], at + 1
            digits = ""
            while at < len(form) and form[at].isdigit():
                digits, at = digits + form[at], at + 1
            body += self.some({"n": DIGITS, "a": UPPER, "c": DIGITS + UPPER}[kind], int(digits))
        number = int("".join(str(int(c, 36)) for c in body + country + "00"))
        iban = f"{country}{98 - number % 97:02d}{body}"
        return self.pick(iban, self.grouped(iban, [4] * 8, " "))

    def bad_IBAN_CODE(self):
        iban = self.IBAN_CODE()
        return self.pick(self.spoil_last(iban), iban[:2] + f"{(int(iban[2:4]) + 1) % 97:02d}" + iban[4:], "XX" + iban[2:])

    def CRYPTO(self):
        data = self.r.randbytes(20)
        return self.pick(base58check(b"\0" + data), base58check(b"\5" + data), bech32(0, data), bech32(1, self.r.randbytes(32)), "0x" + data.hex())

    def bad_CRYPTO(self):
        value = base58check(b"\0" + self.r.randbytes(20))
        return self.pick(self.spoil_last(value, B58), self.spoil_last(bech32(0, self.r.randbytes(20)), B32), "0x" + self.r.randbytes(19).hex(), "0x" + self.r.randbytes(32).hex())

    def ABA_ROUTING_NUMBER(self):
        body = f"{self.pick(*range(1, 13), *range(21, 33)):02d}" + self.some(DIGITS, 6)
        return body + str(-sum(int(d) * w for d, w in zip(body, (3, 7, 1, 3, 7, 1, 3, 7))) % 10)

    def bad_ABA_ROUTING_NUMBER(self):
        return self.spoil_last(self.ABA_ROUTING_NUMBER())

    def US_BANK_NUMBER(self):
        return self.pick("1", "2", "3", "4", "5", "6", "7", "8", "9", "0") + self.some(DIGITS, self.pick(7, 8, 9, 11, 12, 13))

    # --- the network ---

    def name(self):
        return self.pick("john", "maria", "li", "o.brien", "anna-lena", "j.smith", "k_mueller", "priya", "sven") + self.pick("", "", str(self.r.randrange(100)), "." + self.some(LOWER, 5))

    def domain(self):
        return self.some(LOWER, self.r.randrange(4, 12)) + self.pick(".com", ".org", ".de", ".co.uk", ".io", ".example", ".edu.au", ".fr", "-corp.net", ".xn--p1ai")

    def EMAIL_ADDRESS(self):
        return self.name() + self.pick("", "", "+" + self.some(LOWER, 4)) + "@" + self.pick("", "", "mail.") + self.domain()

    def bad_EMAIL_ADDRESS(self):
        return self.pick(self.name() + "@" + self.some(LOWER, 6), "@" + self.some(LOWER, 8), f"icon@{self.r.randrange(2, 4)}x.png", self.name() + "@.com", self.name() + " @ " + self.domain(), "pkg@1.2." + str(self.r.randrange(9)))

    def IP_ADDRESS(self):
        four = ".".join(str(self.r.randrange(1, 256)) for _ in range(4))
        full = ":".join(f"{self.r.randrange(1, 65536):x}" for _ in range(8))
        return self.pick(four, four, full, f"2001:db8:{self.r.randrange(1, 65536):x}::{self.r.randrange(1, 65536):x}", f"fe80::{self.r.randrange(1, 65536):x}:{self.r.randrange(1, 65536):x}:1")

    def bad_IP_ADDRESS(self):
        a, b, c = (self.r.randrange(256) for _ in range(3))
        return self.pick(f"{a}.{b}.{c}.{self.r.randrange(256, 1000)}", f"{a}.{b}.{c}", f"{a}.{b}.{c}.1.2", f"v{a}.{b}.{c}.1", ":".join(f"{self.r.randrange(60):02d}" for _ in range(3)), "std::map",
                         ":".join(f"{self.r.randrange(1, 65536):x}" for _ in range(7)), f"{a:02d}.0{b % 10}.{c}.1")

    def MAC_ADDRESS(self):
        mac = [f"{self.r.randrange(256):02x}" for _ in range(5)] + [f"{self.r.randrange(1, 255):02x}"]
        text = self.pick(":".join(mac), "-".join(mac))
        return self.pick(text, text.upper())

    def bad_MAC_ADDRESS(self):
        mac = [f"{self.r.randrange(1, 255):02x}" for _ in range(7)]
        return self.pick(":".join(mac), ":".join(mac[:5]), ":".join(mac[:5]) + ":g0", "00:00:00:00:00:00")

    def URL_PASSWORD(self):
        return self.some(WORD + "!$*.-_", 1 + self.r.randrange(8, 20)).lstrip("*$")

    def HTTP_AUTHORIZATION(self):
        return self.pick(base64.b64encode(self.r.randbytes(self.r.randrange(9, 40))).decode(), self.some(WORD + "-_.", 30) + "x")

    def bad_HTTP_AUTHORIZATION(self):
        return self.pick("$TOKEN", "<token>", "{{token}}", "...", "***")

    def PHONE_NUMBER(self):
        area = self.pick("2", "3", "4", "5", "6", "7", "8", "9") + self.pick("0", "2", "3", "4", "5") + self.pick("2", "3", "4", "5", "7")
        a, b, c = area, self.pick("2", "3", "4", "5", "6") + self.pick("2", "3", "4") + self.some(DIGITS, 1), self.some(DIGITS, 4)
        return self.pick(f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"+1 {a}-{b}-{c}", f"+1{a}{b}{c}", f"1-{a}-{b}-{c}", f"+44 20 7{self.some(DIGITS, 3)} {c}", f"020 7{self.some(DIGITS, 3)} {c}",
                         f"07{self.some(DIGITS, 3)} {self.some(DIGITS, 6)}", f"+49 30 {self.some('123456789', 1)}{self.some(DIGITS, 6)}", f"+49 (0)171 {self.some('123456789', 1)}{self.some(DIGITS, 6)}",
                         f"0{self.pick('30', '40', '89')}/{self.some('23456789', 1)}{self.some(DIGITS, 6)}", "+33 6 " + " ".join(self.some(DIGITS, 2) for _ in range(4)),
                         "06 " + " ".join(self.some(DIGITS, 2) for _ in range(4)), f"+34 6{self.some(DIGITS, 2)} {self.some(DIGITS, 3)} {self.some(DIGITS, 3)}", f"+91 9{self.some(DIGITS, 4)} {self.some(DIGITS, 5)}",
                         f"+81 3-{self.some('3456', 1)}{self.some(DIGITS, 3)}-{c}", f"+61 4{self.some(DIGITS, 2)} {self.some(DIGITS, 3)} {self.some(DIGITS, 3)}", f"+48 {self.some('5678', 1)}{self.some(DIGITS, 8)}")

    def bad_PHONE_NUMBER(self):
        return self.pick(f"1{self.some(DIGITS, 2)}-{self.some(DIGITS, 3)}-{self.some(DIGITS, 4)}", f"+1 {self.some(DIGITS, 2)} {self.some(DIGITS, 2)}", f"+999{self.some(DIGITS, 2)}", f"{self.some(DIGITS, 4)}.{self.some(DIGITS, 6)}",
                         f"2{self.some('0123', 1)}26-1{self.some('012', 1)}-2{self.some(DIGITS, 1)}", f"{self.some(DIGITS, 3)}-{self.some(DIGITS, 3)}", f"+0{self.some(DIGITS, 9)}", f"911-{self.some(DIGITS, 3)}-{self.some(DIGITS, 4)}")

    # --- persons ---

    def ssn_parts(self):
        area = self.r.choice([n for n in range(1, 900) if n != 666])
        return f"{area:03d}", f"{self.r.randrange(1, 100):02d}", f"{self.r.randrange(1, 10000):04d}"

    def US_SSN(self):
        return self.pick("-", "-", " ").join(self.ssn_parts())

    def bad_US_SSN(self):
        a, b, c = self.ssn_parts()
        return "-".join(self.pick(("000", b, c), ("666", b, c), (a, "00", c), (a, b, "0000"), (a, b, c + "7"), ("9" + a[1:], "0" + b[1], c)))

    def US_ITIN(self):
        return f"9{self.some(DIGITS, 2)}-{self.pick(50, 65, 70, 88, 90, 92, 94, 99)}-{self.some(DIGITS, 4)}"

    def bad_US_ITIN(self):
        return f"9{self.some(DIGITS, 2)}-{self.pick('49', '66', '69', '89', '93')}-{self.some(DIGITS, 4)}"

    def US_NPI(self):
        body = self.pick("1", "2") + self.some(DIGITS, 8)
        return body + luhn("80840" + body + "0")

    def bad_US_NPI(self):
        return self.spoil_last(self.US_NPI())

    def US_MBI(self):
        a, an = "ACDEFGHJKMNPQRTUVWXY", "ACDEFGHJKMNPQRTUVWXY0123456789"
        v = "".join(self.r.choice(s) for s in ("123456789", a, an, DIGITS, a, an, DIGITS, a, a, DIGITS, DIGITS))
        return self.pick(v, self.grouped(v, [4, 3], "-"))

    def bad_US_MBI(self):
        v = self.US_MBI()
        return self.pick("0" + v[1:], v[0] + "S" + v[2:], v + "7", v[:-1] + "X")

    def UK_NHS(self):
        while True:
            body = self.some(DIGITS, 9)
            check = -sum(int(d) * (10 - i) for i, d in enumerate(body)) % 11
            if check < 10:
                return self.pick(body + str(check), self.grouped(body + str(check), [3, 3], " "))

    def bad_UK_NHS(self):
        return self.spoil_last(self.UK_NHS())

    def UK_NINO(self):
        while True:
            pair = self.some("ABCEGHJKLMNOPRSTWXYZ", 1) + self.some("ABCEGHJKLMNPRSTWXYZ", 1)
            if pair not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
                n, last = self.some(DIGITS, 6), self.some("ABCD", 1)
                return self.pick(pair + n + last, f"{pair} {n[:2]} {n[2:4]} {n[4:]} {last}")

    def bad_UK_NINO(self):
        v = self.UK_NINO()
        return self.pick(self.pick("D", "F", "Q", "U", "V") + v[1:], v[:-1] + self.some("EFGXYZ", 1), self.pick("BG", "GB", "NK", "TN") + v[2:])

    def IN_AADHAAR(self):
        body = self.some("23456789", 1) + self.some(DIGITS, 10)
        v = body + verhoeff(body)
        return self.pick(v, self.grouped(v, [4, 4], " "))

    def bad_IN_AADHAAR(self):
        return self.spoil_last(self.IN_AADHAAR())

    def IN_PAN(self):
        return self.some(UPPER, 3) + self.some("ABCFGHJLPT", 1) + self.some(UPPER, 1) + f"{self.r.randrange(1, 10000):04d}" + self.some(UPPER, 1)

    def bad_IN_PAN(self):
        v = self.IN_PAN()
        return self.pick(v[:3] + self.some("DIMNOQRSUVWXYZ", 1) + v[4:], v[:-1] + "7", v + "Q", v.lower())

    def ES_NIF(self):
        n = self.r.randrange(1000000, 100000000)
        return f"{n:08d}" + self.pick("", "-") + "TRWAGMYFPDXBNJZSQVHLCKE"[n % 23]

    def bad_ES_NIF(self):
        return self.spoil_last(self.ES_NIF(), "TRWAGMYFPDXBNJZSQVHLCKE")

    def ES_NIE(self):
        first, n = self.r.randrange(3), self.r.randrange(10000000)
        return "XYZ"[first] + f"{n:07d}" + "TRWAGMYFPDXBNJZSQVHLCKE"[(first * 10000000 + n) % 23]

    def bad_ES_NIE(self):
        v = self.ES_NIE()
        return self.pick(self.spoil_last(v, "TRWAGMYFPDXBNJZSQVHLCKE"), "W" + v[1:])

    def IT_FISCAL_CODE(self):
        odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
        day = self.r.randrange(1, 29) + self.pick(0, 40)
        v = self.some("BCDFGLMNPRSTVZ", 3) + self.some("BCDFGLMNPRSTVZ", 2) + self.some("AEIO", 1) + self.some(DIGITS, 2) + self.some("ABCDEHLMPRST", 1) + f"{day:02d}" + self.some("ABCDEFGHL", 1) + self.some(DIGITS, 3)
        if self.r.random() < 0.05:  # omocodia
            v = v[:14] + "LMNPQRSTUV"[int(v[14])]
        total = sum(odd[int(c, 36) - (10 if c.isalpha() else 0)] if i % 2 == 0 else int(c, 36) - (10 if c.isalpha() else 0) for i, c in enumerate(v))
        return v + UPPER[total % 26]

    def bad_IT_FISCAL_CODE(self):
        v = self.IT_FISCAL_CODE()
        return self.pick(self.spoil_last(v, UPPER), v[:8] + "F" + v[9:], "1" + v[1:])

    def PL_PESEL(self):
        month = self.r.randrange(1, 13) + self.pick(0, 0, 20)
        body = f"{self.r.randrange(100):02d}{month:02d}{self.r.randrange(1, 29):02d}" + self.some(DIGITS, 4)
        return body + str(-sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3))) % 10)

    def bad_PL_PESEL(self):
        v = self.PL_PESEL()
        return self.pick(self.spoil_last(v), v[:2] + "13" + v[4:], v[:4] + "32" + v[6:])

    def FI_PERSONAL_IDENTITY_CODE(self):
        date, n = f"{self.r.randrange(1, 29):02d}{self.r.randrange(1, 13):02d}{self.r.randrange(100):02d}", f"{self.r.randrange(2, 900):03d}"
        return date + self.pick("-", "A", "+") + n + "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(date + n) % 31]

    def bad_FI_PERSONAL_IDENTITY_CODE(self):
        return self.spoil_last(self.FI_PERSONAL_IDENTITY_CODE(), "0123456789ABCDEFHJKLMNPRSTUVWXY")

    def SG_NRIC_FIN(self):
        first, n = self.pick("S", "T", "F", "G"), self.some(DIGITS, 7)
        total = sum(int(d) * w for d, w in zip(n, (2, 7, 6, 5, 4, 3, 2))) + (4 if first in "TG" else 0)
        return first + n + ("JZIHGFEDCBA" if first in "ST" else "XWUTRQPNMLK")[total % 11]

    def bad_SG_NRIC_FIN(self):
        v = self.SG_NRIC_FIN()
        return self.spoil_last(v, "JZIHGFEDCBA" if v[0] in "ST" else "XWUTRQPNMLK")

    def KR_RRN(self):
        year, century = self.pick((self.r.randrange(40, 100), "12"), (self.r.randrange(20), "34"))
        body = f"{year:02d}{self.r.randrange(1, 13):02d}{self.r.randrange(1, 29):02d}" + self.some(century, 1) + f"{self.r.randrange(96):02d}" + self.some(DIGITS, 3)
        check = (11 - sum(int(d) * w for d, w in zip(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))) % 11) % 10
        return body[:6] + "-" + body[6:] + str(check)

    def bad_KR_RRN(self):
        v = self.KR_RRN()
        return self.pick(v[:2] + "13" + v[4:], v[:4] + "32" + v[6:], v[:7] + "9" + v[8:], v.replace("-", ""))

    def AU_ABN(self):
        while True:
            digits = self.some("123456789", 1) + self.some(DIGITS, 10)
            weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
            if digits >= "11" and sum((int(d) - (i == 0)) * w for i, (d, w) in enumerate(zip(digits, weights))) % 89 == 0:
                return self.pick(digits, self.grouped(digits, [2, 3, 3], " "))

    def bad_AU_ABN(self):
        return self.spoil_last(self.AU_ABN())

    def AU_TFN(self):
        while True:
            digits = self.some(DIGITS, 9)
            if sum(int(d) * w for d, w in zip(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10))) % 11 == 0:
                return self.pick(digits, self.grouped(digits, [3, 3], " "))

    def bad_AU_TFN(self):
        return self.spoil_last(self.AU_TFN())

    def AU_MEDICARE(self):
        body = self.some("23456", 1) + self.some(DIGITS, 7)
        v = body + str(sum(int(d) * w for d, w in zip(body, (1, 3, 7, 9, 1, 3, 7, 9))) % 10) + self.some("123456789", 1)
        return self.pick(v, self.grouped(v, [4, 5], " "))

    def bad_AU_MEDICARE(self):
        return self.pick("7", "8", "9", "1") + self.AU_MEDICARE()[1:]

    # --- secrets ---

    def url64(self, data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    def JWT(self):
        header = {"alg": self.pick("HS256", "RS256", "ES256"), "typ": "JWT"}
        return ".".join((self.url64(json.dumps(header, separators=(",", ":")).encode()), self.url64(json.dumps({"sub": self.some(DIGITS, 8), "iat": 1500000000}).encode()), self.url64(self.r.randbytes(32))))

    def bad_JWT(self):
        return self.pick(self.url64(b'{"typ":"x","n":' + str(self.r.randrange(10**6)).encode() + b"}") + "." + self.url64(self.r.randbytes(9)) + "." + self.url64(self.r.randbytes(9)), self.JWT().split(".")[0], "a." + self.some(WORD, 20) + ".c")

    def PRIVATE_KEY(self):
        kind = self.pick("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")
        body = base64.b64encode(self.r.randbytes(self.r.randrange(120, 1200))).decode()
        lines = [body[i:i + 64] for i in range(0, len(body), 64)]
        end = self.pick("\n", "\\n")
        return end.join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])

    def bad_PRIVATE_KEY(self):
        return self.PRIVATE_KEY().replace("PRIVATE KEY", self.pick("PUBLIC KEY", "CERTIFICATE")).replace("\n", "\\n")

    TOKENS = {
        "AWS_ACCESS_KEY": (("AKIA", UPPER + "234567", 16), ("ASIA", UPPER + "234567", 16)),
        "GITHUB_TOKEN": (("ghp_", WORD, 36), ("gho_", WORD, 36), ("ghs_", WORD, 36), ("github_pat_", WORD + "_", 82)),
        "GITLAB_TOKEN": (("glpat-", WORD + "-_", 20), ("glrt-", WORD + "-_", 20), ("glagent-", WORD + "-_", 50)),
        "SLACK_TOKEN": (("xoxb-", DIGITS, 12), ("xoxp-", DIGITS, 12), ("hooks.slack.com/services/", UPPER, 9)),
        "STRIPE_KEY": (("sk_live_", WORD, 24), ("rk_live_", WORD, 24), ("sk_test_", WORD, 99)),
        "OPENAI_KEY": (("sk-proj-", WORD + "-_", 120), ("sk-", WORD, 48)),
        "ANTHROPIC_KEY": (("sk-ant-api03-", WORD + "-_", 93), ("sk-ant-admin01-", WORD + "-_", 93)),
        "GOOGLE_KEY": (("AIza", WORD + "-_", 35), ("GOCSPX-", WORD + "-_", 28), ("ya29.", WORD + "-_", 150)),
        "NPM_TOKEN": (("npm_", WORD, 36),),
        "PYPI_TOKEN": (("pypi-AgEIcHlwaS5vcmc", WORD + "-_", 120),),
        "HUGGINGFACE_TOKEN": (("hf_", string.ascii_letters, 34),),
        "SENDGRID_KEY": (("SG.", WORD, 22),),
        "API_KEY": (("dop_v1_", "0123456789abcdef", 64), ("shpat_", "0123456789abcdef", 32), ("SK", "0123456789abcdef", 32), ("hvs.", WORD, 90), ("glsa_", WORD, 32), ("dckr_pat_", WORD, 27), ("gsk_", WORD, 52),
                    ("ATATT3xFfGF0", WORD + "-_", 180), ("hvr.", WORD, 90), ("dp.pt.", WORD, 43), ("pscale_tkn_", WORD + "-_", 43), ("LTAI", WORD, 20), ("AKID", WORD, 32), ("nvapi-", WORD + "-_", 64),
                    ("lsv2_pt_", "0123456789abcdef", 43), ("sb_secret_", WORD + "-_", 31), ("sqp_", "0123456789abcdef", 40), ("sgp_", "0123456789abcdef", 40), ("CFPAT-", WORD + "-_", 43),
                    ("discord.com/api/webhooks/", DIGITS, 18)),
    }

    def token(self, entity):
        prefix, alphabet, size = self.r.choice(self.TOKENS[entity])
        body = self.some(alphabet, size - 1) + self.some([c for c in alphabet if c.isalnum()], 1)
        if entity == "SLACK_TOKEN":
            body += ("/B" if prefix[0] == "h" else "-") + self.some(DIGITS, 12) + ("/" if prefix[0] == "h" else "-") + self.some(WORD, 24)
        if prefix[0] == "d" and prefix[-1] == "/":
            body += "/" + self.some(WORD + "-_", 67) + "x"
        if entity == "SENDGRID_KEY":
            body += "." + self.some(WORD, 43)
        if prefix == "glsa_":
            body += "_" + self.some("0123456789abcdef", 8)
        return prefix, body

    def make(self, entity):
        return "".join(self.token(entity)) if entity in self.TOKENS else getattr(self, entity)()

    def near_miss(self, entity):
        if entity in self.TOKENS:
            prefix, body = self.token(entity)
            return self.pick(prefix + "x" * len(body), prefix + body[:6], "x" + prefix + body, prefix + "your-token-goes-here")
        maker = getattr(self, "bad_" + entity, None)
        return maker() if maker else None


# What stands around values of an entity, besides what stands around any; {} is the value. Types that are nothing without a word have these only.
OWN = {
    "US_BANK_NUMBER": ("Account number: {}", '{{"account_number": "{}", "type": "checking"}}', "Please debit my bank account {} at once.", "acct {} was closed", "savings account no. {}"),
    "ABA_ROUTING_NUMBER": ("Routing number: {}", '{{"routingNumber":"{}"}}', "ABA {} (Chase)", "wire to RTN {} today", "bank routing #{}"),
    "US_NPI": ("NPI: {}", '{{"npi": "{}"}}', "National Provider Identifier {}", "seen by Dr. Roe (NPI {})"),
    "AU_TFN": ("TFN: {}", '{{"tfn":"{}"}}', "my tax file number is {}."),
    "AU_MEDICARE": ("Medicare card {}", '{{"medicareNumber":"{}"}}', "medicare no: {}"),
    "URL_PASSWORD": ("DATABASE_URL=postgres://app:{}@db.internal:5432/prod", "git clone https://bot:{}@git.example.com/x.git", '{{"url":"amqp://guest:{}@mq:5672/%2f"}}', "redis://:{}@cache:6379"),
    "HTTP_AUTHORIZATION": ("Authorization: Bearer {}", "> authorization: Basic {}", '{{"headers":{{"Authorization":"Bearer {}"}}}}', "curl -H 'Authorization: token {}' https://api.example.com/", "Proxy-Authorization: Basic {}"),
    "UK_NHS": ("NHS number: {}", '{{"nhs_number":"{}"}}', "NHS No {} (verified)", "patient {} was admitted"),
    "IN_AADHAAR": ("Aadhaar: {}", '{{"aadhaar_number":"{}"}}', "UIDAI says {} is linked"),
    "AU_ABN": ("ABN {}", '{{"abn":"{}"}}', "Smith Pty Ltd ABN: {}"),
}
ANY = ("{}", "the customer gave {} on the phone", '{{"id": 17, "value": "{}", "ok": true}}', "17,{},EUR,open", "2026-11-23T09:05:30.123Z INFO app[4711]: received {} from queue", "value={}", "<td>{}</td>",
       "INSERT INTO t VALUES (17, '{}', NULL);", "see {} (page 3).", "\t{}\t", "key: {}\n", "It was {}, she said.", "[{}]", "\"{}\"", "user={} action=login")
WORDS = "the quick request handler failed to open connection because upstream returned status while processing item order queue cache for of and from with node state".split()


def noise(m):
    """A line in which nothing is."""
    r = m.r
    words = " ".join(r.choice(WORDS) for _ in range(r.randrange(3, 12)))
    return m.pick(
        f"2026-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d} {r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d},{r.randrange(1000):03d} {words}",
        f"commit {r.randbytes(20).hex()} {words}", f"uuid {r.randbytes(4).hex()}-{r.randbytes(2).hex()}-4{r.randbytes(2).hex()[1:]}-a{r.randbytes(2).hex()[1:]}-{r.randbytes(6).hex()} {words}",
        f"total {r.randrange(10**6)}.{r.randrange(100):02d} EUR, {r.randrange(10**4)} items, {r.random()}", f"version {r.randrange(20)}.{r.randrange(20)}.{r.randrange(2000)} {words}",
        f"/usr/lib/x86_64-linux-gnu/lib{r.choice(WORDS)}.so.{r.randrange(9)}.{r.randrange(99)} {words}", f"epoch {r.randrange(1600000000, 1800000000)} took {r.randrange(10**5)} ms {words}",
        f"sha256:{r.randbytes(32).hex()}", f"{r.randrange(10**3)} {r.randrange(10**3)} {r.randrange(10**3)} {r.randrange(10**4)}", f"{words} (line {r.randrange(10**4)}, column {r.randrange(200)})",
        f"ISBN 978-{r.randrange(10)}-{r.randrange(10**4):04d}-{r.randrange(10**4):04d}-{r.randrange(10)}", base64.b64encode(r.randbytes(r.randrange(20, 60))).decode(),
        f"order {r.randrange(10**7)} shipped, tracking {m.some(UPPER + DIGITS, 18)}", f"0x{r.getrandbits(64):016x} 0x{r.getrandbits(32):08x} {words}", f"[{r.randrange(10**5)}.{r.randrange(10**6):06d}] {words}")


def disguise(m, value):
    """Other ways to write a value, as text."""
    r = m.r
    how = r.randrange(5)
    if how == 0:
        return "".join(f"%{ord(c):02X}" if not c.isalnum() else c for c in value)
    if how == 1:
        return "".join(f"\\u{ord(c):04x}" if r.random() < 0.3 else c for c in value)
    if how == 2:
        return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in value)
    if how == 3:
        at = r.randrange(1, len(value))
        return value[:at] + "\u200b" + value[at:]
    plain = "value: " + value + "."
    return base64.b64encode(plain.encode()).decode().rstrip("=")


PLAIN_ONLY = {"PRIVATE_KEY", "URL_PASSWORD", "HTTP_AUTHORIZATION"}  # no disguise: they are part of something longer


def corpus(entities, seed, count):
    """Yields (bytes of a line, labels, near misses): labels are (start, end, entity, disguised); for each entity `count` lines."""
    m = Maker(seed)
    for _ in range(count):
        for entity in entities:
            for value, label in ((m.make(entity), True), (m.near_miss(entity), False)):
                if value is None:
                    continue
                own = OWN.get(entity)
                template = m.r.choice(own) if own else m.r.choice(ANY)
                before, after = template.format("\0").split("\0")
                disguised = label and entity not in PLAIN_ONLY and m.r.random() < 0.1
                text = disguise(m, value) if disguised else value
                if disguised and own and len(text) > len(value) * 1.25 and "%" not in text and "\\" not in text:
                    text, disguised = value, False  # within base64 the words before it do not count
                start = len(before.encode())
                labels = [(start, start + len(text.encode()), entity, disguised)] if label else []
                yield (before + text + after).encode() + b"\n", labels
            yield (noise(m) + "\n").encode(), []
