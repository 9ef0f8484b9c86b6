// The program packaging writes all files of a release into a directory: archives
// of the program for each platform, packages for Debian and RPM systems, an OCI
// image, bills of materials and checksums. It is a module of its own, so that the
// program does not depend on what builds its packages.
//
// The same commit gives the same bytes, wherever and whenever it is built: no
// clock, no name of a host and no order of a directory goes into a file.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// release holds what all steps of a run know.
type release struct {
	root, out string // directories
	// version is the tag, or what stands for it between tags.
	version string
	tagged  bool
	commit  string
	date    time.Time // of the commit
	work    string    // a directory for what is no part of the release
}

// platforms are those that a release has.
var platforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}, {"windows", "amd64"}}

type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "_" + p.arch }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := flag.String("root", ".", "the tree to build")
	out := flag.String("out", "dist", "the directory to write; it must not exist")
	only := flag.String("only", "", "build this platform only, such as linux/amd64")
	flag.Parse()
	if err := run(ctx, *root, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, out, only string) (err error) {
	r, err := open(ctx, root, out)
	if err != nil {
		return err
	}
	if r.work, err = os.MkdirTemp("", "rollcall-release-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.work)) }()
	if err := r.clone(ctx); err != nil {
		return err
	}
	if err := os.Mkdir(r.out, 0o755); err != nil {
		return err
	}
	if err := r.documents(ctx); err != nil {
		return err
	}
	var images []platform
	for _, p := range platforms {
		if only != "" && only != p.os+"/"+p.arch {
			continue
		}
		fmt.Println("building", p)
		if err := r.platform(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		if p.os == "linux" {
			images = append(images, p)
		}
	}
	if err := r.image(images); err != nil {
		return fmt.Errorf("image: %w", err)
	}
	return r.checksums()
}

// platform builds the program for a platform, and everything that holds it.
func (r *release) platform(ctx context.Context, p platform) error {
	if err := r.build(ctx, p); err != nil {
		return err
	}
	if err := r.writeLicenses(ctx, p); err != nil {
		return err
	}
	if err := r.billOfMaterials(p); err != nil {
		return err
	}
	if err := r.archive(p); err != nil {
		return err
	}
	if p.os != "linux" {
		return nil
	}
	return r.packages(p)
}

// open reads the commit that the tree is at, which must be all that it has.
func open(ctx context.Context, root, out string) (*release, error) {
	root, err1 := filepath.Abs(root)
	out, err2 := filepath.Abs(out)
	r := &release{root: root, out: out}
	changed, err3 := r.git(ctx, "status", "--porcelain")
	commit, err4 := r.git(ctx, "log", "-1", "--format=%H %ct")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	if changed != "" {
		return nil, fmt.Errorf("the tree differs from its commit:\n%s", changed)
	}
	hash, at, _ := strings.Cut(commit, " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return nil, err
	}
	r.commit, r.date = hash, time.Unix(seconds, 0).UTC()
	r.version = "v0.0.0-devel." + r.date.Format("20060102150405") + "." + hash[:12]
	// A commit without a tag is not an error.
	if tag, err := r.git(ctx, "describe", "--tags", "--exact-match", "--match", "v*"); err == nil {
		r.version, r.tagged = tag, true
		if !version.MatchString(tag) {
			return nil, fmt.Errorf("the tag %s is no semantic version", tag)
		}
	}
	return r, nil
}

// clone makes a clone of the commit and builds from there. Nothing that changes
// meanwhile in the tree matters, and Go's tool finds the commit in any clone, but
// not in a further work tree of one.
func (r *release) clone(ctx context.Context) error {
	tree := filepath.Join(r.work, "tree")
	if _, err := r.git(ctx, "clone", "--quiet", "--no-checkout", r.root, tree); err != nil {
		return err
	}
	r.root = tree
	_, err := r.git(ctx, "checkout", "--quiet", "--detach", r.commit)
	return err
}

var version = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$`)

func (r *release) git(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", append([]string{"-C", r.root}, args...)...)
	text, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(text)), nil
}

// file returns the path of a file of the release.
func (r *release) file(format string, args ...any) string {
	return filepath.Join(r.out, fmt.Sprintf(format, args...))
}
