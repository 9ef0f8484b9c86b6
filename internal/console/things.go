package console

import (
	"strings"
)

// The lists of groups, policies and roles, and the pages about one of them.

// thingsView holds what a list shows.
type thingsView struct {
	Choices []choice
	Search  []field
	Check   *check
	All     *entry // back to the whole list
	Create  offered
	List    section
}

// offered is a link to a page that changes something, with AWS's sentence where
// that is denied.
type offered struct{ Text, Path, Denied string }

// thingView holds what the page about one thing shows.
type thingView struct {
	Facts    []fact
	Denied   string // why the facts cannot be seen
	Note     string
	Sections []section
}

// fact is something that is known of a thing.
type fact struct {
	Name string
	Cell cell
}

// newThingView holds the form for a new thing.
type newThingView struct {
	Fields         []field
	Submit, Cancel string
	Denied         string
}

// thingsPerPage keeps the page of a list small.
const thingsPerPage = 100

// pathPrefix returns the beginning of the paths that are searched for.
func (v *visit) pathPrefix() *string {
	text := strings.TrimSpace(v.query("path"))
	if text == "" {
		return nil
	}
	if !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	return &text
}

// pathField is the field of a search by path.
func (v *visit) pathField() field {
	return field{Name: "path", Label: "Path begins with", Value: v.query("path")}
}

// nameFields are those of a new thing.
func (v *visit) nameFields(label string, most int) []field {
	return []field{
		{
			Name: "name", Label: label, Value: v.field("name"), Max: most, Focus: true, Complete: "off",
			Hint: "Letters, digits and the characters +=,.@_-",
		},
		{
			Name: "path", Label: "Path", Value: v.field("path"), Max: 512, Optional: true, Complete: "off",
			Hint: "Such as /people/",
		},
	}
}
