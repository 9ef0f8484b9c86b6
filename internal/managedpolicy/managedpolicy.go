// Package managedpolicy holds the policies that AWS manages, as data: their
// names, paths, default versions and documents at the time when policies.tsv
// was generated (see gen).
//
// It only holds the default version of each. Every partition has all of them,
// with its own ARNs. On AWS some partitions lack some policies.
package managedpolicy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

//go:generate go run ./gen

// Policy is a policy that AWS manages. It has one version, its default.
type Policy struct {
	Name string
	Path string // "/", "/job-function/", …
	// ID begins with ANPA if AWS's id is known. The others are derived from the
	// name, and begin with ANPAZZZZ.
	ID          string
	Description string // "" if it is unknown
	Version     string // v1
	Document    string
	Created     time.Time
	Updated     time.Time
}

// ARN returns the policy's ARN in a partition.
func (p *Policy) ARN(partition string) string {
	return "arn:" + partition + ":iam::aws:policy" + p.Path + p.Name
}

// Find returns the policy with an ARN of any partition, or nil if there is
// none. Callers must not change it.
func Find(arn string) *Policy {
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" || part[2] != "iam" || part[3] != "" || part[4] != "aws" {
		return nil
	}
	name, ok := strings.CutPrefix(part[5], "policy")
	if !ok {
		return nil
	}
	return in(part[1]).byName[name]
}

// All returns the policies of a partition in the order of their names, without
// regard to case. Callers must not change them.
func All(partition string) []*Policy { return in(partition).all }

// packed holds policies.tsv, compressed. TestPacked compares them.
//
//go:embed policies.tsv.zst
var packed []byte

// lines returns policies.tsv. It is unpacked when a policy is first asked for.
var lines = sync.OnceValue(func() string {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic("managedpolicy: " + err.Error())
	}
	defer r.Close()
	text, err := r.DecodeAll(packed, nil)
	if err != nil {
		panic("managedpolicy: " + err.Error())
	}
	return string(text)
})

// collection holds the policies of one partition.
type collection struct {
	all    []*Policy
	byName map[string]*Policy // by path and name
}

// Documents name things of the partition aws. Other partitions have their own
// documents.
var partitions = map[string]func() collection{
	"aws":        sync.OnceValue(func() collection { return load(lines(), "aws") }),
	"aws-cn":     sync.OnceValue(func() collection { return load(lines(), "aws-cn") }),
	"aws-us-gov": sync.OnceValue(func() collection { return load(lines(), "aws-us-gov") }),
}

func in(partition string) collection {
	if load := partitions[partition]; load != nil {
		return load()
	}
	return collection{}
}

// load reads lines. It panics for an incomplete line, which is a mistake in the
// program. A test reads them all.
func load(lines, partition string) collection {
	c := collection{byName: map[string]*Policy{}}
	for line := range strings.Lines(lines) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		p := &Policy{Path: f[0], Name: f[1], ID: f[2], Version: f[3], Created: date(f[4]), Updated: date(f[5]),
			Description: f[6], Document: f[7]}
		if p.ID == "" {
			p.ID = derivedID(p.Name)
		}
		if partition != "aws" {
			p.Document = strings.ReplaceAll(p.Document, `"arn:aws:`, `"arn:`+partition+`:`)
		}
		c.all = append(c.all, p)
		c.byName[p.Path+p.Name] = p
	}
	return c
}

func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic("managedpolicy: " + err.Error())
	}
	return t
}

func derivedID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "ANPAZZZZ" + base32.StdEncoding.EncodeToString(sum[:])[:13]
}
