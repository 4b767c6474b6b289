package kmod

import (
	"bytes"
	"strings"
	"testing"
)

func TestUnsigned(t *testing.T) {
	head := strings.Repeat("\x00", description-length)
	for name, tc := range map[string]struct{ module, want string }{
		"signed":                     {"code" + "sig" + head + "\x00\x00\x00\x03" + mark, "code"},
		"signed with nothing":        {"code" + head + "\x00\x00\x00\x00" + mark, "code"},
		"all of it the signature":    {"sig" + head + "\x00\x00\x00\x03" + mark, ""},
		"not signed":                 {"code", "code"},
		"empty":                      {"", ""},
		"the mark alone":             {mark, mark},
		"longer than what is there":  {"code" + head + "\x00\x00\x00\x05" + mark, "code" + head + "\x00\x00\x00\x05" + mark},
		"longer than any":            {"code" + head + "\xff\xff\xff\xff" + mark, "code" + head + "\xff\xff\xff\xff" + mark},
		"the mark not at the end":    {"code" + mark + "more", "code" + mark + "more"},
		"the description cut short":  {"code\x03" + mark, "code\x03" + mark},
		"little-endian, so too long": {"code" + "sig" + head + "\x03\x00\x00\x00" + mark, "code" + "sig" + head + "\x03\x00\x00\x00" + mark},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(Unsigned([]byte(tc.module))); got != tc.want {
				t.Errorf("Unsigned(%q) = %q, want %q", tc.module, got, tc.want)
			}
		})
	}
}

func FuzzUnsigned(f *testing.F) {
	f.Add([]byte("code" + strings.Repeat("\x00", description) + mark))
	f.Add([]byte(mark))
	f.Fuzz(func(t *testing.T, module []byte) {
		got := Unsigned(module)
		if !bytes.HasPrefix(module, got) {
			t.Errorf("Unsigned(%q) = %q, which is not how it begins", module, got)
		}
		if len(got) < len(module) && !bytes.HasSuffix(module, []byte(mark)) {
			t.Errorf("Unsigned(%q) = %q, and there is no signature", module, got)
		}
	})
}
