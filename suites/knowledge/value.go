package knowledge

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Set is a set of values of which any one will do. In YAML it is a single value or a list.
type Set []string

// Has reports whether v is in the set.
func (s Set) Has(v string) bool { return slices.Contains(s, v) }

// String returns the values for a reader: "EINVAL or ENOENT".
func (s Set) String() string { return strings.Join(s, " or ") }

// UnmarshalYAML accepts a scalar or a list of scalars.
func (s *Set) UnmarshalYAML(n ast.Node) error {
	if n.Type() == ast.SequenceType {
		return yaml.NodeToValue(n, (*[]string)(s))
	}
	var one string
	if err := yaml.NodeToValue(n, &one); err != nil {
		return err
	}
	*s = Set{one}
	return nil
}

// Series is the two leading numbers of a kernel's version. They compare as numbers: 6.2 is
// older than 6.12. The zero Series stands for an open end of a range.
type Series struct{ Major, Minor int }

// ParseSeries reads "6.12".
func ParseSeries(s string) (Series, error) {
	major, minor, ok := strings.Cut(s, ".")
	a, err1 := strconv.ParseUint(major, 10, 16)
	b, err2 := strconv.ParseUint(minor, 10, 16)
	if !ok || err1 != nil || err2 != nil || a == 0 {
		return Series{}, fmt.Errorf("kernel series %q: want two numbers such as 6.12", s)
	}
	return Series{int(a), int(b)}, nil
}

var releaseStart = regexp.MustCompile(`^([1-9][0-9]{0,3}\.[0-9]{1,4})(?:[^0-9].*)?$`)

// SeriesOf reads the series at the beginning of a kernel's release string, such as
// "6.12.107+deb13-cloud-amd64" or "7.3-rc4-cloud-amd64".
func SeriesOf(release string) (Series, error) {
	m := releaseStart.FindStringSubmatch(release)
	if m == nil {
		return Series{}, fmt.Errorf("kernel release %q: want it to begin with two numbers such as 6.12", release)
	}
	return ParseSeries(m[1])
}

// String returns the series as ParseSeries reads it, "" for the zero Series.
func (s Series) String() string {
	if s.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d", s.Major, s.Minor)
}

// IsZero reports whether s is the open end of a range.
func (s Series) IsZero() bool { return s == Series{} }

// Compare returns -1, 0 or 1 as s is older than, the same as or newer than t.
func (s Series) Compare(t Series) int {
	switch {
	case s == t:
		return 0
	case s.Major < t.Major || s.Major == t.Major && s.Minor < t.Minor:
		return -1
	}
	return 1
}

// UnmarshalYAML insists on a quoted string: YAML reads a bare 6.10 as the number 6.1.
func (s *Series) UnmarshalYAML(n ast.Node) error {
	text, ok := n.(*ast.StringNode)
	if !ok || text.Token.Type != token.DoubleQuoteType && text.Token.Type != token.SingleQuoteType {
		return fmt.Errorf("kernel series %s has to be in quotes", n)
	}
	parsed, err := ParseSeries(text.Value)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

func inRange(s, from, to Series) bool {
	return (from.IsZero() || s.Compare(from) >= 0) && (to.IsZero() || s.Compare(to) <= 0)
}
