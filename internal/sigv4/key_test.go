package sigv4

import (
	"fmt"
	"sync"
	"testing"

	"rollcall/internal/sigv4/sigv4test"
)

func TestKeyCacheBounded(t *testing.T) {
	var c keyCache
	hot := cacheID([]byte("hot"), "20261123", "us-east-1", "iam")
	c.put(hot, digest{1})
	for i := range 5 * generation {
		c.put(cacheID(fmt.Append(nil, i), "20261123", "us-east-1", "iam"), digest{})
		if i%100 == 0 {
			if key, ok := c.get(hot); !ok || key != (digest{1}) {
				t.Fatalf("after %d: a key in use was dropped", i)
			}
		}
		if n := len(c.young) + len(c.old); n > 2*generation {
			t.Fatalf("after %d: %d entries", i, n)
		}
	}
	if _, ok := c.get(cacheID([]byte("0"), "20261123", "us-east-1", "iam")); ok {
		t.Error("a key not in use was kept")
	}
}

func TestCacheIDDistinguishes(t *testing.T) {
	seen := map[digest]string{}
	for _, in := range [][4]string{
		{"s", "d", "r", "v"}, {"sd", "", "r", "v"}, {"s", "dr", "", "v"}, {"s", "d", "rv", ""}, {"", "sd", "r", "v"},
		{"s", "d", "r", "w"},
	} {
		id := cacheID([]byte(in[0]), in[1], in[2], in[3])
		if other := seen[id]; other != "" {
			t.Errorf("%q and %s share an id", in, other)
		}
		seen[id] = fmt.Sprint(in)
	}
}

// Failed requests must not displace the keys of valid ones.
func TestVerifyCachesOnlyWhatHeld(t *testing.T) {
	v := newVerifier()
	for _, forged := range []sigv4test.Credentials{
		{AccessKeyID: alice.AccessKeyID, SecretAccessKey: "guess"},
		{AccessKeyID: "AKIANOBODY", SecretAccessKey: string(dummySecret)},
	} {
		r, body := signed(forged, "us-east-1", "iam", now)
		if _, err := v.Verify(r, body); err == nil {
			t.Fatal("forged request verified")
		}
		if n := len(v.keys.young); n != 0 {
			t.Errorf("%d keys remembered of a forged request", n)
		}
	}
	r, body := signed(alice, "us-east-1", "iam", now)
	if _, err := v.Verify(r, body); err != nil {
		t.Fatal(err)
	}
	if n := len(v.keys.young); n != 1 {
		t.Errorf("%d keys remembered of a good request, want 1", n)
	}
}

func TestVerifyConcurrently(t *testing.T) {
	v := newVerifier()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				region := fmt.Sprintf("r-%d", j%7)
				r, body := signed([]sigv4test.Credentials{alice, bob}[i%2], region, "iam", now)
				if got, err := v.Verify(r, body); err != nil || got.Region() != region {
					t.Errorf("Verify = %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkVerify(b *testing.B) {
	r, body := signed(alice, "us-east-1", "iam", now)
	url := presigned(bob, "us-east-1", "sts", now, 0)
	nobody := alice
	nobody.AccessKeyID = "AKIANOBODY"
	unknown, _ := signed(nobody, "us-east-1", "iam", now)
	b.Run("cached", func(b *testing.B) {
		v := newVerifier()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(r, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("derived", func(b *testing.B) {
		v := newVerifier()
		b.ReportAllocs()
		for b.Loop() {
			v.keys.young = nil
			if _, err := v.Verify(r, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("presigned", func(b *testing.B) {
		v := newVerifier()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(url, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		v := newVerifier()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(unknown, body); err == nil {
				b.Fatal("verified")
			}
		}
	})
}
