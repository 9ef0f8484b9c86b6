package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// billOfMaterials writes what the program for a platform was built from, in
// CycloneDX. It reads that from the program, so that it names what was linked
// and nothing else.
func (r *release) billOfMaterials(p platform) error {
	info, err := buildinfo.ReadFile(r.binary(p))
	if err != nil {
		return err
	}
	sum, err := sumOf(r.binary(p))
	if err != nil {
		return err
	}
	self := cdx.Component{BOMRef: "rollcall", Type: cdx.ComponentTypeApplication, Name: "rollcall", Version: r.version,
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}},
		Properties: &[]cdx.Property{{Name: "commit", Value: r.commit},
			{Name: "platform", Value: p.os + "/" + p.arch}}}
	bom := cdx.NewBOM()
	bom.SerialNumber = serial(sum)
	bom.Metadata = &cdx.Metadata{Timestamp: r.date.Format("2006-01-02T15:04:05Z"), Component: &self}
	components := []cdx.Component{{BOMRef: "pkg:golang/std@" + info.GoVersion, Type: cdx.ComponentTypeLibrary,
		Name: "std", Version: info.GoVersion, PackageURL: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")}}
	uses := []string{components[0].BOMRef}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := cdx.Component{BOMRef: "pkg:golang/" + m.Path + "@" + m.Version, Type: cdx.ComponentTypeLibrary,
			Name: m.Path, Version: m.Version, PackageURL: "pkg:golang/" + m.Path + "@" + m.Version + "?type=module"}
		// A go.sum line is "h1:" and a SHA-256 of all files of the module.
		if hash, found := strings.CutPrefix(m.Sum, "h1:"); found {
			raw, err := base64.StdEncoding.DecodeString(hash)
			if err != nil {
				return err
			}
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(raw)}}
		}
		components, uses = append(components, c), append(uses, c.BOMRef)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: "rollcall", Dependencies: &uses}}
	var text bytes.Buffer
	e := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	if err := e.Encode(bom); err != nil {
		return err
	}
	if info.GoVersion != runtime.Version() {
		return errors.New("the program was built by another release of Go than this one: " + info.GoVersion)
	}
	return os.WriteFile(r.file("rollcall_%s_%s.cdx.json", r.version, p), text.Bytes(), 0o644)
}

// serial returns a UUID that depends on the program alone.
func serial(sum []byte) string {
	id := sha256.Sum256(append([]byte("rollcall sbom "), sum...))
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}
