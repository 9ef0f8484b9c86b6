package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser is the user that the image runs as, of no meaning elsewhere.
const imageUser = 65532

// image writes an OCI layout with the images of all Linux platforms, as a tar
// file, and for each platform a file for 'docker load'.
func (r *release) image(all []platform) error {
	if len(all) == 0 {
		return nil
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range all {
		image, err := r.imageOf(p)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os, Architecture: p.arch}}})
		tag, err := name.NewTag("rollcall:" + r.version)
		if err != nil {
			return err
		}
		if err := tarball.WriteToFile(r.file("rollcall_%s_%s_image.tar", r.version, p), tag, image); err != nil {
			return err
		}
	}
	index = mutate.Annotations(index, r.labels()).(v1.ImageIndex)
	dir := filepath.Join(r.work, "oci")
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	named := map[string]string{"org.opencontainers.image.ref.name": r.version}
	if err := path.AppendIndex(index, layout.WithAnnotations(named)); err != nil {
		return err
	}
	content, err := tarTree(dir, r)
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("rollcall_%s_oci.tar", r.version), content, 0o644)
}

func (r *release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":    "Rollcall",
		"org.opencontainers.image.version":  r.version,
		"org.opencontainers.image.revision": r.commit,
		"org.opencontainers.image.created":  r.date.Format("2006-01-02T15:04:05Z"),
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
}

// imageOf returns an image of the program, its licenses, CA certificates, a user and the
// directories that it may write to.
func (r *release) imageOf(p platform) (v1.Image, error) {
	program, err := os.ReadFile(r.binary(p))
	if err != nil {
		return nil, err
	}
	// Certificates change seldom, so they are a layer of their own.
	system, err := r.layer([]entry{
		{name: "etc", mode: 0o755, dir: true},
		{name: "etc/group", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:\nrollcall:x:%d:\n", imageUser)},
		{name: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\n"+
			"rollcall:x:%[1]d:%[1]d:Rollcall:/var/lib/rollcall:/sbin/nologin\n", imageUser)},
		{name: "etc/ssl", mode: 0o755, dir: true},
		{name: "etc/ssl/certs", mode: 0o755, dir: true},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities()},
		{name: "tmp", mode: 0o1777, dir: true},
		{name: "usr", mode: 0o755, dir: true},
		{name: "usr/bin", mode: 0o755, dir: true},
		{name: "var", mode: 0o755, dir: true},
		{name: "var/lib", mode: 0o755, dir: true},
		{name: "var/lib/rollcall", mode: 0o700, dir: true, uid: imageUser},
	})
	if err != nil {
		return nil, err
	}
	legal, err := r.legal(p)
	if err != nil {
		return nil, err
	}
	service, err := r.layer(append([]entry{{name: "usr/bin/rollcall", mode: 0o755, content: program}}, legal...))
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), system, service)
	if err != nil {
		return nil, err
	}
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = p.os, p.arch, v1.Time{Time: r.date}
	for i := range file.History {
		file.History[i].Created = v1.Time{Time: r.date}
	}
	file.Config = v1.Config{
		User:       fmt.Sprintf("%[1]d:%[1]d", imageUser),
		Entrypoint: []string{"/usr/bin/rollcall"}, Cmd: []string{"serve"},
		Env: []string{"PATH=/usr/bin", "ROLLCALL_DATA=/var/lib/rollcall/data", "ROLLCALL_TRAIL=-",
			"ROLLCALL_LISTEN=:8585", "ROLLCALL_LOG_FORMAT=json"},
		Volumes: map[string]struct{}{"/var/lib/rollcall": {}}, WorkingDir: "/var/lib/rollcall",
		ExposedPorts: map[string]struct{}{"8585/tcp": {}, "8586/tcp": {}}, Labels: r.labels(),
	}
	return mutate.ConfigFile(image, file)
}

// legal returns the licenses and notices of an image.
func (r *release) legal(p platform) ([]entry, error) {
	const dir = "usr/share/doc/rollcall"
	var all []entry
	for _, name := range []string{"usr/share", "usr/share/doc", dir} {
		all = append(all, entry{name: name, mode: 0o755, dir: true})
	}
	for _, file := range []string{filepath.Join(r.root, "LICENSE"), filepath.Join(r.root, "NOTICE"), r.licenses(p)} {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, entry{name: dir + "/" + filepath.Base(file), mode: 0o644, content: content})
	}
	return all, nil
}

func (r *release) layer(all []entry) (v1.Layer, error) {
	content, err := tarred(all, r.date)
	if err != nil {
		return nil, err
	}
	packed, err := gzipped(content)
	if err != nil {
		return nil, err
	}
	return tarball.LayerFromReader(bytes.NewReader(packed), tarball.WithMediaType(types.OCILayer))
}

// authorities returns Mozilla's certificate authorities, which a module pins, in
// PEM. The program leaves out those that only others than Go can constrain.
func authorities() []byte {
	var all []string
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if c, err := x509.ParseCertificate(root.Certificate); err == nil {
			all = append(all, "# "+c.Subject.String()+"\n"+
				string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
		}
	}
	sort.Strings(all)
	var b bytes.Buffer
	for _, c := range all {
		b.WriteString(c)
	}
	return b.Bytes()
}

// tarTree returns the files below a directory as one tar file.
func tarTree(dir string, r *release) ([]byte, error) {
	var all []entry
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		below, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		e := entry{name: filepath.ToSlash(below), mode: 0o644, dir: d.IsDir()}
		if e.dir {
			e.mode = 0o755
		} else if e.content, err = os.ReadFile(path); err != nil {
			return err
		}
		all = append(all, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tarred(all, r.date)
}
