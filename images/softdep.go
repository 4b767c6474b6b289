package images

import (
	"maps"
	"slices"
	"strings"

	"pivotspec/suites/kmod"
)

// wished returns what a softdep of modprobe.d(5), such as "pre: crc32c post: b", wants to be loaded
// first. The kernel asks for that itself while it loads the module, and by modprobe(8), which an
// image does not have.
func wished(softdep string) (before []string) {
	pre := false
	for _, word := range strings.Fields(softdep) {
		switch word {
		case "pre:":
			pre = true
		case "post:":
			pre = false
		default:
			if pre {
				before = append(before, word)
			}
		}
	}
	return before
}

// cryptoPrefix stands in front of the aliases by which the kernel asks for a cipher or a checksum.
const cryptoPrefix = "crypto-"

// providers returns the modules of that name or alias. Of aliases only those are found whose
// module's name begins like them, as crc32c_generic does: to read thousands of modules takes
// longer than to boot. A wish that nothing is found for may be built into the kernel.
func (s *moduleSet) providers(wish string) []string {
	name := kmod.Name(strings.TrimPrefix(wish, cryptoPrefix))
	if s.files[name] != "" {
		return []string{name}
	}
	var out []string
	for _, n := range slices.Sorted(maps.Keys(s.files)) {
		if strings.HasPrefix(n, name) && s.hasAlias(n, wish) {
			out = append(out, n)
		}
	}
	return out
}

// hasAlias reports whether a module says that it can be asked for by another name.
func (s *moduleSet) hasAlias(module, alias string) bool {
	b, err := readModule(s.files[module])
	if err != nil {
		return false
	}
	info, err := modinfo(b)
	return err == nil && slices.Contains(strings.Split(info, "\x00"), "alias="+alias)
}
