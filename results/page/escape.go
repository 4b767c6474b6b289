package page

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// glyphs are the named characters that pages use, beside those of one letter with an
// accent. Others print nothing: only letters and digits make a difference to a fingerprint.
var glyphs = map[string]string{
	"aq": "'", "cq": "’", "oq": "‘", "dq": `"`, "lq": "“", "rq": "”", "Bq": "„", "bq": "‚", "Fo": "«", "Fc": "»", "fo": "‹", "fc": "›",
	"bu": "•", "em": "—", "en": "–", "hy": "-", "mi": "−", "ha": "^", "ti": "~", "rs": `\`, "sl": "/", "ul": "_", "ru": "_",
	"at": "@", "sh": "#", "Do": "$", "lB": "[", "rB": "]", "lC": "{", "rC": "}", "la": "⟨", "ra": "⟩", "ba": "|", "bv": "|", "or": "|",
	"ga": "`", "aa": "´", "co": "©", "rg": "®", "tm": "™", "mu": "×", "di": "÷", "pl": "+", "eq": "=", "+-": "±", "**": "*",
	"<=": "≤", ">=": "≥", "!=": "≠", "==": "≡", "->": "→", "<-": "←", "<>": "↔", "da": "↓", "ua": "↑", "de": "°", "sc": "§", "ps": "¶", "dg": "†", "dd": "‡",
	"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "/o": "ø", "/O": "Ø", "/l": "ł", "/L": "Ł", "12": "½", "14": "¼", "34": "¾", "if": "∞",
	"r!": "¡", "r?": "¿", "Eu": "€", "Po": "£", "ct": "¢", "lh": "☜", "rh": "☞", "sq": "□", "ci": "○", "CR": "↵",
	"arrowup": "↑", "R": "®", "q": `"`, "Tm": "™", "Lq": "“", "Rq": "”", "lp": "(", "rp": ")", "Am": "&", "Gt": ">", "Lt": "<", "Ba": "|", "Ge": "≥", "Le": "≤", "Ne": "≠", "Pm": "±", "Na": "NaN", "If": "infinity",
}

// render undoes the escapes of roff and mandoc's own control characters: it returns what a
// reader sees, without fonts.
func render(s string) string { text, _ := renderJoin(s); return text }

// renderJoin also reports whether the text ends with \c, so that what follows is joined to it.
func renderJoin(s string) (text string, joins bool) {
	var b strings.Builder
	for len(s) > 0 {
		c, size := utf8.DecodeRuneInString(s)
		switch {
		case c == '\\':
			var out string
			out, s, joins = escape(s[1:])
			b.WriteString(out)
			continue
		case c == 0x1e: // ASCII_HYPH, a hyphen at which lines may break
			b.WriteByte('-')
		case c == 0x1f || c == '\t': // ASCII_NBRSP
			b.WriteByte(' ')
		case c < ' ': // other marks for the formatter
		default:
			b.WriteRune(c)
		}
		joins = false
		s = s[size:]
	}
	return b.String(), joins
}

// escape renders one escape sequence, given without its backslash, and returns the rest.
func escape(s string) (out, rest string, joins bool) {
	if s == "" {
		return "", "", false
	}
	c, rest := s[0], s[1:]
	switch c {
	case '-', '.', '\'', '`', '_', ' ':
		return string(c), rest, false
	case '~', '0':
		return " ", rest, false
	case 't':
		return " ", rest, false
	case 'e', 'E', '\\':
		return `\`, rest, false
	case '"', '#': // a comment
		return "", "", false
	case 'c':
		return "", rest, true
	case '(', '[', 'C':
		name := ""
		if c == 'C' {
			name, rest = quoted(rest)
		} else {
			name, rest = argument(s)
		}
		return glyph(name), rest, false
	case 'N':
		number, rest := quoted(rest)
		if n, err := strconv.Atoi(number); err == nil && n >= ' ' && n < 127 {
			return string(rune(n)), rest, false
		}
		return "", rest, false
	case 'f', 'F', 'm', 'M', 'k', 'n', 'g', 'V', 'Y', '*', 'O':
		_, rest = argument(strings.TrimLeft(rest, "+-"))
		return "", rest, false
	case 's':
		rest = strings.TrimLeft(rest, "+-")
		if strings.HasPrefix(rest, "'") {
			_, rest = quoted(rest)
		} else {
			_, rest = argument(rest)
		}
		return "", rest, false
	case 'h', 'v', 'w', 'x', 'l', 'L', 'D', 'b', 'A', 'B', 'H', 'S', 'R', 'X', 'Z', 'o':
		_, rest = quoted(rest)
		return "", rest, false
	}
	// The others, such as \& and \/, print nothing.
	_, size := utf8.DecodeRuneInString(s)
	return "", s[size:], false
}

// argument reads the name after an escape: x, (xx or [xxx].
func argument(s string) (name, rest string) {
	switch {
	case strings.HasPrefix(s, "["):
		name, rest, ok := strings.Cut(s[1:], "]")
		if !ok {
			return "", ""
		}
		return name, rest
	case strings.HasPrefix(s, "("):
		s = s[1:]
		return s[:min(2, len(s))], s[min(2, len(s)):]
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size], s[size:]
}

// quoted reads an argument between two equal characters, usually 'x'.
func quoted(s string) (arg, rest string) {
	_, size := utf8.DecodeRuneInString(s)
	arg, rest, ok := strings.Cut(s[size:], s[:size])
	if !ok || size == 0 {
		return "", ""
	}
	return arg, rest
}

// glyph returns the character of that name, such as "aq", "u00E9" or "'e".
func glyph(name string) string {
	if g, ok := glyphs[name]; ok {
		return g
	}
	if hex, ok := strings.CutPrefix(name, "u"); ok && len(hex) >= 4 {
		if n, err := strconv.ParseUint(hex, 16, 32); err == nil && utf8.ValidRune(rune(n)) && n >= ' ' {
			return string(rune(n))
		}
	}
	// A letter with an accent is its letter: names of people have them, statements do not.
	if len(name) == 2 && strings.ContainsRune("'`^~:,o\"v", rune(name[0])) {
		if l := name[1]; l >= 'a' && l <= 'z' || l >= 'A' && l <= 'Z' {
			return string(rune(l))
		}
	}
	return ""
}
