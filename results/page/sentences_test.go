package page

import (
	"slices"
	"strings"
	"testing"
)

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"none", " \n ", nil},
		{"one without a stop", "no stop", []string{"no stop"}},
		{"two", "It fails. It works.", []string{"It fails.", "It works."}},
		{"over lines", "It\n  fails.\nIt\nworks.", []string{"It fails.", "It works."}},
		{"section of a page", "See stat(2). The rest is here.", []string{"See stat(2).", "The rest is here."}},
		{"section within", "As stat(2) and chroot(2) do.", []string{"As stat(2) and chroot(2) do."}},
		{"abbreviations", "A file (e.g. Memory, i.e. RAM) cf. Disk. Next.", []string{"A file (e.g. Memory, i.e. RAM) cf. Disk.", "Next."}},
		{"etc in the middle", "Files, pipes, etc. are here. Done.", []string{"Files, pipes, etc. are here.", "Done."}},
		{"etc at the end", "Files, pipes, etc. Others fail.", []string{"Files, pipes, etc.", "Others fail."}},
		{"version at the end", "Since Linux 2.6. Before that it failed.", []string{"Since Linux 2.6.", "Before that it failed."}},
		{"version within", "Linux 2.6.32 has it. So has 3.0.", []string{"Linux 2.6.32 has it.", "So has 3.0."}},
		{"identifier begins one", "That is so. new_root must exist. put_old too.", []string{"That is so.", "new_root must exist.", "put_old too."}},
		{"call begins one", "That is so. mount(2) fails.", []string{"That is so.", "mount(2) fails."}},
		{"small letters go on", "The file .profile. which is read", []string{"The file .profile. which is read"}},
		{"parentheses of their own", "It fails. (See NOTES.) It works.", []string{"It fails.", "(See NOTES.)", "It works."}},
		{"two sentences in parentheses", "(It fails. It works.) Done.", []string{"(It fails.", "It works.)", "Done."}},
		{"parentheses within", "A call (It fails. It works.) ends. Done.", []string{"A call (It fails. It works.) ends.", "Done."}},
		{"parenthesis never closed", "A (b. Then c.", []string{"A (b.", "Then c."}},
		{"parenthesis never opened", "a) is one. b) is two. Done.", []string{"a) is one. b) is two.", "Done."}},
		{"quoted stop", `It says "no." Then it ends.`, []string{`It says "no."`, "Then it ends."}},
		{"path", `Use "/". Then "." is it. It is.`, []string{`Use "/".`, `Then "." is it.`, "It is."}},
		{"ellipsis", "It goes on... and on. End.", []string{"It goes on... and on.", "End."}},
		{"question", "Why? Because!", []string{"Why?", "Because!"}},
		{"initials", "By W. Almesberger. End.", []string{"By W. Almesberger.", "End."}},
		{"number", "See no. 5 of it. The answer is no. 5 is not it.", []string{"See no. 5 of it.", "The answer is no. 5 is not it."}},
		{"colon goes on", "One thing: it fails.", []string{"One thing: it fails."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Sentences(c.text); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzSentences(f *testing.F) {
	for _, s := range []string{"", "A. B (c. D). e_f. G", "(((.)))", "\xff. A", "etc.)\u00a0(x", "a.\x00B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Sentences(text)
		for _, s := range got {
			if s == "" || strings.TrimSpace(s) != s {
				t.Errorf("sentence %q of %q", s, text)
			}
		}
		// Nothing is lost, nothing doubled, and line breaks make no difference.
		flat := strings.Join(strings.Fields(text), " ")
		if joined := strings.Join(got, " "); joined != flat {
			t.Errorf("sentences of %q make %q", text, joined)
		}
		if again := Sentences(flat); !slices.Equal(again, got) {
			t.Errorf("%q gives %q, on one line %q", text, got, again)
		}
	})
}
