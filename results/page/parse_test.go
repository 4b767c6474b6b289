package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

// places shows statements as "line place: text".
func places(p *Page) []string {
	var out []string
	for i := range p.Statements {
		s := &p.Statements[i]
		out = append(out, fmt.Sprintf("%d %s: %s", s.Line, s.Place(), s.Text))
	}
	return out
}

const manHead = ".TH swap_tree 2 2024-05-06 \"Test pages 1.0\"\n"

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"paragraphs and fonts", manHead + `.SH DESCRIPTION
.BR swap_tree ()
swaps \fItwo\fP trees.
A
.I leaf
falls
.RI ( gently ),
too.
.P
Next\~one\(aqs "here\[dq] \- see
.B a
.BI b c d
.SM E .
`, []string{
			"3 DESCRIPTION 1: swap_tree() swaps two trees.",
			"5 DESCRIPTION 2: A leaf falls (gently), too.",
			`11 DESCRIPTION 3: Next one's "here" - see a bcd E .`,
		}},
		{"before any heading", manHead + "It has none.\n", []string{"2 (no heading) 1: It has none."}},
		{"spaces that count", manHead + `.SH NOTES
.BR tree " is tall,"
  as
.BR all (7)
    trees
.B
are " now."
`, []string{`3 NOTES 1: tree is tall, as all(7) trees are " now."`}},
		{"entries of a list", manHead + `.SH ERRORS
It fails so:
.TP 8
.B EINVAL
The tree is no tree.
(Or it is a bush.)
.TP
.BR EINVAL " (since Linux 9.9)"
It is a stone.
.IP
It is one indeed.
.TP
.B EPERM
.TQ
.B EACCES
Not yours.
.IP ENOENT 4
No tree.
.P
More.
`, []string{
			"3 ERRORS 1: It fails so:",
			"6 ERRORS, EINVAL 1: The tree is no tree.",
			"7 ERRORS, EINVAL 1: (Or it is a bush.)",
			"10 ERRORS, EINVAL 2: It is a stone.",
			"12 ERRORS, EINVAL 2: It is one indeed.",
			"17 ERRORS, EPERM, EACCES 1: Not yours.",
			"19 ERRORS, ENOENT 1: No tree.",
			"21 ERRORS 2: More.",
		}},
		{"announced list", manHead + `.SH DESCRIPTION
The following limits hold:
.IP \[bu] 3
No stones.
No bushes.
.IP \[bu]
One tree.
.PP
That is all.
.IP 1. 4
First of a list without a name.
.IP (b)
Second.
`, []string{
			"3 DESCRIPTION 1: The following limits hold:",
			"5 DESCRIPTION, limits 1: No stones.",
			"6 DESCRIPTION, limits 2: No bushes.",
			"8 DESCRIPTION, limits 3: One tree.",
			"10 DESCRIPTION 2: That is all.",
			"12 DESCRIPTION 3: First of a list without a name.",
			"14 DESCRIPTION 4: Second.",
		}},
		{"nested lists", manHead + `.SH ERRORS
.TP
.B EINVAL
One of these:
.RS
.IP \[bu] 3
A stone.
.IP \[bu]
.RS
.TP
deep
A bush.
.RE
.RE
.IP
Last words.
.TP
.B EINVAL
Another.
.RS 4
.TP
indented
Still the other.
.RE
`, []string{
			"5 ERRORS, EINVAL 1: One of these:",
			"8 ERRORS, EINVAL 1: A stone.",
			"13 ERRORS, EINVAL 1: A bush.",
			"17 ERRORS, EINVAL 1: Last words.",
			"20 ERRORS, EINVAL 2: Another.",
			"24 ERRORS, EINVAL 2: Still the other.",
		}},
		{"indented list", manHead + `.SH NOTES
Text before.
.RS
.TP
.B tag
In the list.
.RE
.P
Text after.
`, []string{
			"3 NOTES 1: Text before.",
			"7 NOTES, tag 1: In the list.",
			"10 NOTES 2: Text after.",
		}},
		{"code and quotations", manHead + `.SH NOTES
Once it said:
.RS
.P
Trees are tall.
Trees are old.
.RE
.P
Now call
.EX
swap_tree(a, b);
.EE
and wait.
Done:
.nf
No statement.
.fi
After it.
.SS Of stones
They are hard.
.SH "SEE ALSO"
.BR tree (7)
.SH COLOPHON
This is a page.
`, []string{
			"3 NOTES 1: Once it said:",
			"10 NOTES 2: Now call and wait.",
			"15 NOTES 3: Done:",
			"19 NOTES 4: After it.",
			"21 NOTES, Of stones 1: They are hard.",
		}},
		{"synopsis", manHead + `.SH SYNOPSIS
.BI "int swap_tree(int " a );
.P
.IR Note :
no library has it.
`, []string{"5 SYNOPSIS 1: Note: no library has it."}},
		{"table", manHead + `.SH ERRORS
.TS
l l.
EINVAL	It is \fIno\fP tree.
EPERM	T{
It is not
yours.
T}
EINVAL	It is dead.
.TE
`, []string{
			"5 ERRORS, EINVAL 1: It is no tree.",
			"6 ERRORS, EPERM 1: It is not yours.",
			"10 ERRORS, EINVAL 2: It is dead.",
		}},
		{"macros and strings of its own", manHead + `.de XB
.B \\$1
.br
..
.ds tree oak
.SH NOTES
The \*[tree] is
.XB tall .
See
.MR tree 7 .
.\" a comment
.if n More\c
\&over.
.ig
ignored
..
.UR http://example.invalid
The site
.UE .
`, []string{
			"8 NOTES 1: The oak is tall See tree(7).",
			"13 NOTES 2: Moreover.",
			"19 NOTES 3: The site.",
		}},
		{"text that looks like the tree", manHead + `.SH NOTES
SH (block) *7:2
foo (text) 3:4 NOFILL
    indented text (elem) 9:9.
title = "x"
`, []string{`3 NOTES 1: SH (block) *7:2 foo (text) 3:4 NOFILL indented text (elem) 9:9. title = "x"`}},
		{"mdoc", `.Dd May 6, 2024
.Dt SWAP_TREE 2
.Os
.Sh NAME
.Nm swap_tree
.Nd swap two trees
.Sh SYNOPSIS
.In tree.h
.Ft int
.Fn swap_tree "int a" "int b"
.Sh DESCRIPTION
.Nm
swaps
.Dq two
.Pq or Do more Dc
trees, see
.Xr tree 7 .
It was
.Nm Ns ed .
.Fn swap_tree
never
.Ap s
.Em late .
.Pp
The following limits hold:
.Bl -bullet -offset indent
.It
.Fa a
is no stone.
.Bl -dash
.It
Nor a pebble.
.El
.It
One tree.
.El
.Bd -literal
code
.Ed
.Sh RETURN VALUES
Zero.
.Sh ERRORS
.Bl -tag -width Er
.It Bq Er EINVAL
A stone.
.Pp
Hard.
.It Bo Er EPERM Bc
Not yours.
.It Er EINVAL
A bush.
.El
.Ss On columns
.Bl -column "one" "two"
.It Er ENOENT Ta A tree lacks.
.El
`, []string{
			"5 NAME 1: swap_tree - swap two trees",
			"12 DESCRIPTION 1: swap_tree swaps “two” (or “more”) trees, see tree(7).",
			"18 DESCRIPTION 2: It was swap_treeed.",
			"20 DESCRIPTION 3: swap_tree() never's late.",
			"25 DESCRIPTION 4: The following limits hold:",
			"28 DESCRIPTION, limits 1: a is no stone.",
			"32 DESCRIPTION, limits 2: Nor a pebble.",
			"35 DESCRIPTION, limits 3: One tree.",
			"41 RETURN VALUE 1: Zero.",
			"45 ERRORS, EINVAL 1: A stone.",
			"47 ERRORS, EINVAL 1: Hard.",
			"49 ERRORS, EPERM 1: Not yours.",
			"51 ERRORS, EINVAL 2: A bush.",
			"55 ERRORS, ENOENT 1: A tree lacks.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse(t.Context(), "swap_tree.2", strings.NewReader(c.src))
			if err != nil {
				t.Fatal(err)
			}
			if got := places(p); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if p.Name != "swap_tree" || p.Section != "2" || len(p.Skipped) > 0 {
				t.Errorf("it is %s(%s), skipped %q", p.Name, p.Section, p.Skipped)
			}
		})
	}
}

func TestParseQuotes(t *testing.T) {
	for _, src := range []string{
		manHead + ".SH NOTES\nIt said:\n.RS\n.P\nTrees are tall.\nTrees\nare old.\n.RE\n.P\nNo more.\n",
		".Dd May 6, 2024\n.Dt SWAP_TREE 2\n.Os\n.Sh NOTES\nIt said:\n.Bd -ragged -offset indent\nTrees are tall.\nTrees\nare old.\n.Ed\n.Pp\nNo more.\n",
	} {
		p, err := Parse(t.Context(), "x", strings.NewReader(src))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Statements) != 2 || p.Statements[1].Text != "No more." || p.Statements[1].Nth != 2 {
			t.Errorf("got %q", places(p))
		}
		if len(p.Quoted) != 2 || p.Quoted[1].Text != "Trees are old." || p.Quoted[1].Section != "NOTES" {
			t.Errorf("quoted %+v", p.Quoted)
		}
	}
}

func TestParseSaysWhatIsSkipped(t *testing.T) {
	p, err := Parse(t.Context(), "x", strings.NewReader(manHead+".SH NOTES\nA.\n.XYZ lost words\nB.\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"line 4: mandoc is skipping unknown macro: .XYZ lost words"}; !slices.Equal(p.Skipped, want) {
		t.Errorf("got %q, want %q", p.Skipped, want)
	}
	if p.Date != "2024-05-06" || p.Source != "Test pages 1.0" {
		t.Errorf("date %q, source %q", p.Date, p.Source)
	}
}

func gz(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zst(t *testing.T, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

const good = manHead + ".SH NOTES\nIt works.\n"

// Go has no writers for these two.
const (
	goodXz  = "testdata/good.xz"
	goodBz2 = "testdata/good.bz2"
)

func TestParseUnpacks(t *testing.T) {
	packed := map[string][]byte{"gz": gz(t, []byte(good)), "zst": zst(t, []byte(good)), "plain": []byte(good)}
	for kind, file := range map[string]string{"xz": goodXz, "bz2": goodBz2} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		packed[kind] = data
	}
	for kind, data := range packed {
		p, err := Parse(t.Context(), kind, iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if got := places(p); !slices.Equal(got, []string{"3 NOTES 1: It works."}) {
			t.Errorf("%s: got %q", kind, got)
		}
		if kind == "plain" {
			continue
		}
		for _, cut := range []int{len(data) - 1, len(data) / 2, 7} {
			_, err := Parse(t.Context(), kind, bytes.NewReader(data[:cut]))
			if in := (*InputError)(nil); !errors.As(err, &in) {
				t.Errorf("%s cut to %d of %d bytes: %v", kind, cut, len(data), err)
			}
		}
	}
}

// zeros is endless.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestParseRefuses(t *testing.T) {
	big := bytes.Repeat([]byte("x"), maxSource+1)
	for _, c := range []struct {
		name string
		in   io.Reader
		want string // in the message
	}{
		{"empty", strings.NewReader(""), "it is empty;"},
		{"blank", strings.NewReader(" \n\n"), "it is empty;"},
		{"empty once unpacked", bytes.NewReader(gz(t, nil)), "empty once unpacked"},
		{"endless", zeros{}, "longer than 1 MiB"},
		{"bomb", bytes.NewReader(gz(t, big)), "unpacked it is longer than 1 MiB"},
		{"zstd bomb", bytes.NewReader(zst(t, big)), "unpacked it is longer than 1 MiB"},
		{"unreadable", iotest.ErrReader(errors.New("no luck")), "it cannot be read: no luck"},
		{"binary", strings.NewReader("\x7fELF\x02\x01\x01\x00\x00"), "binary data"},
		{"binary after a title", strings.NewReader(good + "\x00\x01"), "binary data"},
		{"plain text", strings.NewReader("It is not a page.\nNot at all.\n"), "no title"},
		{"formatted", strings.NewReader("N\bNA\bAM\bME\bE\n  tree\n"), "a formatted page"},
		{"title alone", strings.NewReader(manHead), "not one sentence"},
		{"no sentence", strings.NewReader(manHead + ".SH NAME\n.SH SEE ALSO\n.BR tree (7)\n"), "not one sentence"},
		{"in another file", strings.NewReader(".so man2/tree.2\n"), `on line 1 it takes its text from another file, "man2/tree.2"`},
		{"partly in another file", strings.NewReader(good + "'  so /etc/passwd\n"), `on line 4 it takes its text from another file, "/etc/passwd"`},
		{"macro calls itself", strings.NewReader(manHead + ".de x\n.x\n..\n.SH NOTES\n.x\nText.\n"), "its macros never end"},
		{"two macros call each other", strings.NewReader(manHead + ".de x\n.y\n..\n.de y\n.x\n..\n.SH NOTES\n.x\nText.\n"), "its macros never end"},
		{"string contains itself", strings.NewReader(manHead + ".SH NOTES\n.ds x a\\\\*x\n\\*x\nText.\n"), "its macros never end"},
		{"loop that prints", strings.NewReader(manHead + ".SH NOTES\n.nr a 1\n.while \\na \\{\\\nText.\n.\\}\n"), "look for macros that call themselves"},
		{"loop that prints nothing", strings.NewReader(manHead + ".SH NOTES\nText.\n.nr a 1\n.while \\na .nr b 1\n"), "look for macros that call themselves"},
		{"nested without bounds", strings.NewReader(manHead + ".SH NOTES\n" + strings.Repeat(".RS\nx:\n", 140000)), "look for macros that call themselves"},
		{"too many sentences", strings.NewReader(manHead + ".SH NOTES\n" + strings.Repeat("So.\n", maxStatements+1)), "it has 4001 sentences"},
		{"expansion without bounds", strings.NewReader(manHead + ".SH NOTES\n.ds a " + strings.Repeat("x", 1000) + "\n" + doublings(30) + "\\*a\nText.\n"), "look for macros that call themselves"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Parse(t.Context(), "FILE", c.in)
			var in *InputError
			if !errors.As(err, &in) {
				t.Fatalf("got %v, %v, want an InputError", p, err)
			}
			if s := err.Error(); !strings.Contains(s, c.want) || !strings.HasPrefix(s, "cannot read FILE as a manual page: ") || strings.Contains(s, "\n") {
				t.Errorf("got %q, want %q in it", s, c.want)
			}
		})
	}
}

// doublings makes a string as long as 2 to the power of n.
func doublings(n int) string {
	return strings.Repeat(".as a \\*a\n", n)
}

func TestParseWithoutMandoc(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Parse(t.Context(), "x", strings.NewReader(good))
	if tool := (*ToolError)(nil); !errors.As(err, &tool) || !strings.Contains(err.Error(), "Debian's package mandoc") {
		t.Errorf("got %v", err)
	}
}

func TestParseStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never, end := io.Pipe()
	defer end.Close()
	for _, r := range []io.Reader{strings.NewReader(good), never} {
		if _, err := Parse(ctx, "x", r); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestRender(t *testing.T) {
	for in, want := range map[string]string{
		`a\-b\~c\0d`: "a-b c d", `\fBx\fP\f(CWy\f[I]z\f[]`: "xyz", `\(aqx\[dq]\*(no`: `'x"`, `\s-1A\s+1\s0\s'2'B`: "AB",
		`\[u00E9]\N'65'`: "éA", `\h'1n'x\&\/\|\^y`: "xy", `a\e\\b`: `a\\b`, `\['e]\(:uv`: "euv", "a\x1eb\x1fc\x1dd": "a-b cd",
		`\`: "", `\(`: "", `\[x`: "", `\f`: "", `\h`: "", `\s`: "", `\C'aq'`: "'", `x\" no`: "x", `\[nosuch]x`: "x", "\\\xff": "",
	} {
		if got := render(in); got != want {
			t.Errorf("render(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseTree(f *testing.F) {
	for _, s := range []string{
		"title = \"a\"\nsec   = \"2\"\n\nSH (block) *2:2\n  SH (head) 2:2\n      ERRORS (text) 2:5\n  SH (body) 2:2\n      a (text) *3:1.\n      TP (block) *4:2\n        TP (head) 4:2\n            B (elem) *5:2\n                EINVAL (text) 5:4\n        TP (body) 5:2\n            b \\c (text) *6:1 NOFILL\n      LL 0L[x] 1L{y} (tbl) 5:1\n",
		"\nSh (block) *1:2\n  Sh (head) 1:2\n      NAME (text) 1:2\n  Sh (body) 1:2\n    Bl (block) -tag -width [ [17n] ] *42:2\n      Bl (body) 42:2\n        It (block) *3:4\n          It (head) 3:4\n            Er (elem) 43:8 HREF\n          It (body) 3:4\n            Xr (elem) 3:3\n            Fn (elem) 3:3\n            Bd (block) 3:3\n            Pf (elem) 3:3\n",
		"\n (text) 99999999999999999999:1\n", "\n" + strings.Repeat(" ", 100) + "IP (block) 1:1\nIP (head) 1:1\nRS (block) 1:1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		said, quoted := statements(parseTree(out))
		for _, s := range quoted {
			if s.Text == "" || s.Nth != 0 {
				t.Errorf("quoted %+v", s)
			}
		}
		for _, s := range said {
			if s.Text == "" || s.Nth < 1 || len(s.Fingerprint) != 16 || s.Section == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}
