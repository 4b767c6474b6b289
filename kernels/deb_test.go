package kernels

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func readAll(b []byte) (string, error) {
	var s strings.Builder
	err := readDeb(bytes.NewReader(b), func(name string, size int64, content io.Reader) error {
		c, err := io.ReadAll(io.LimitReader(content, 1<<20))
		fmt.Fprintf(&s, "%s=%s;", name, c)
		return err
	})
	return s.String(), err
}

func TestReadDeb(t *testing.T) {
	good := fakeDeb(t, tarFile{name: "./boot/a", content: []byte("A")}, tarFile{name: "b", content: []byte("B")})
	file := func(name string) []byte {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name string
		data []byte
		want string
		fail string
	}{
		{"gzip", good, "boot/a=A;b=B;", ""},
		{"xz, by dpkg-deb", file("xz.deb"), "boot/config-1=CONFIG_PVH=y\n;", ""},
		{"zstd, by dpkg-deb", file("zstd.deb"), "boot/config-1=CONFIG_PVH=y\n;", ""},
		{"absolute path", fakeDeb(t, tarFile{name: "/abs", content: []byte("2")}), "abs=2;", ""},
		{"path out of the package", fakeDeb(t, tarFile{name: "../../etc/x", content: []byte("1")}), "", `"../../etc/x" in it leads out`},
		{"path out of a folder of it", fakeDeb(t, tarFile{name: "a/../../b", content: []byte("3")}), "", "leads out"},
		{"hard link out of the package", fakeDeb(t, tarFile{name: "h", typ: tar.TypeLink, link: "../x"}), "", "leads out"},
		{"two files of one name", fakeDeb(t, tarFile{name: "a", content: []byte("1")}, tarFile{name: "./a", content: []byte("2")}), "", "two files called a"},
		{"two data.tar", append(bytes.Clone(good), fakeAr("data.tar.xz", "x")[8:]...), "", "a second data.tar"},
		{"not compressed", fakeAr("data.tar", plainTar(t, tarFile{name: "a", content: []byte("1")})), "a=1;", ""},
		{"links and devices are passed over", fakeDeb(t, tarFile{name: "l", typ: tar.TypeSymlink, link: "/etc/passwd"}, tarFile{name: "h", typ: tar.TypeLink, link: "l"}, tarFile{name: "d", typ: tar.TypeChar}, tarFile{name: "f", typ: tar.TypeFifo}), "", ""},
		{"empty", nil, "", "not a Debian package"},
		{"other file", []byte("hello, world, this is text"), "", "not a Debian package"},
		{"no data", fakeAr("debian-binary", "2.0\n"), "", "no data.tar"},
		{"rubbish data", fakeAr("data.tar", "rubbish"), "", "not compressed"},
		{"rubbish in gzip", fakeAr("data.tar.gz", string(gzipPayload(bytes.Repeat([]byte("x"), 2000)))), "", "data.tar"},
		{"cut in the data", good[:len(good)-40], "boot/a=A;b=B;", ""}, // decided below
		{"cut in a header", good[:len("!<arch>\n")+20], "", "cut short"},
		{"negative size", bytes.Replace(fakeAr("x", "y", "data.tar", ""), []byte("1         `"), []byte("-60       `"), 1), "", "damaged"},
		{"blank mode", bytes.Replace(good, []byte("100644  "), []byte("        "), 1), "boot/a=A;b=B;", ""},
		{"size past the end", bytes.Replace(fakeAr("x", "y"), []byte("1         `"), []byte("99        `"), 1), "", "cut short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(tt.data)
			if tt.name == "cut in the data" {
				// what was read before the cut may be seen, but the error must come
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if tt.fail == "" && (err != nil || got != tt.want) || tt.fail != "" && (err == nil || !strings.Contains(err.Error(), tt.fail)) {
				t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.fail)
			}
		})
	}
}

func TestReadDebEndsEarly(t *testing.T) {
	n := 0
	err := readDeb(bytes.NewReader(fakeDeb(t, tarFile{name: "a"}, tarFile{name: "b"})), func(string, int64, io.Reader) error {
		n++
		return errEnough
	})
	if n != 1 || err != nil {
		t.Errorf("%d files, %v", n, err)
	}
	boom := errors.New("boom")
	if err := readDeb(bytes.NewReader(fakeDeb(t, tarFile{name: "a"})), func(string, int64, io.Reader) error { return boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
}

func TestReadDebTooBig(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(&tar.Header{Name: "bomb", Typeflag: tar.TypeReg, Size: maxDebFile + 1})
	z := gzipPayload(b.Bytes())
	if _, err := readAll(fakeAr("data.tar.gz", string(z[:len(z)-4]))); !errors.Is(err, errTooBig) {
		t.Errorf("%v", err)
	}
	if _, err := copyBounded(io.Discard, bytes.NewReader(make([]byte, 11)), 10); !errors.Is(err, errTooBig) {
		t.Errorf("%v", err)
	}
}

func FuzzReadDeb(f *testing.F) {
	f.Add(fakeDeb(f, tarFile{name: "./boot/a", content: []byte("A")}))
	f.Add(fakeAr("data.tar", "x"))
	for _, n := range []string{"xz.deb", "zstd.deb"} {
		b, err := os.ReadFile("testdata/" + n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readDeb(bytes.NewReader(b), func(name string, size int64, content io.Reader) error {
			if strings.HasPrefix(name, "/") || name == ".." || strings.HasPrefix(name, "../") || size < 0 {
				t.Fatalf("%q, %d", name, size)
			}
			_, err := io.Copy(io.Discard, io.LimitReader(content, 1<<20))
			return err
		})
	})
}
