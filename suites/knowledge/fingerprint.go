package knowledge

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
)

// Fingerprint identifies a sentence of the manual page without repeating it: the first 16
// hexadecimal digits of the SHA-256 of its letters and digits in lower case, where
// everything else counts as one space. So line breaks, fonts, dashes and the style of the
// quotation marks make no difference. The sentence is given as rendered, not as roff source.
func Fingerprint(sentence string) string {
	sum := sha256.Sum256([]byte(strings.Join(words(sentence), " ")))
	return hex.EncodeToString(sum[:8])
}

// words returns the words of a sentence that count, in small letters.
func words(sentence string) []string {
	return strings.FieldsFunc(strings.ToLower(sentence), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '/'
	})
}
