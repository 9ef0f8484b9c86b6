package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecipesFit holds that every text next to which a recipe adds something is
// still in its file. 'make recipe-check' then takes minutes to prove the recipes.
func TestRecipesFit(t *testing.T) {
	for _, r := range recipes {
		for _, s := range r.steps {
			text, err := os.ReadFile(filepath.Join("..", "..", s.file))
			if err != nil && s.changes != nil {
				t.Errorf("%s: %v", r.name, err)
			}
			for _, c := range s.changes {
				if n := strings.Count(string(text), c.old); n != 1 {
					t.Errorf("%s: %s has %q %d times", r.name, s.file, c.old, n)
				}
				text = []byte(strings.Replace(string(text), c.old, c.new, 1))
			}
		}
	}
}
