package console

import (
	"strings"
)

// This file has the lists of groups, policies and roles, and the pages about
// one of them.

// thingsView is the data of a list.
type thingsView struct {
	Choices []choice
	Search  []field
	Check   *check
	All     *entry // link to the whole list
	Create  offered
	List    section
}

// offered is a link to a page that changes something, with AWS's sentence if
// that is denied.
type offered struct{ Text, Path, Denied string }

// thingView is the data of the page about one thing.
type thingView struct {
	Facts    []fact
	Denied   string // why the facts cannot be shown
	Note     string
	Sections []section
}

// fact is one fact about a thing.
type fact struct {
	Name string
	Cell cell
}

// newThingView is the data of the form for a new thing.
type newThingView struct {
	Fields         []field
	Submit, Cancel string
	Denied         string
}

// thingsPerPage keeps the page of a list small.
const thingsPerPage = 100

// pathPrefix returns the path prefix of the search.
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

// pathField returns the field for a search by path.
func (v *visit) pathField() field {
	return field{Name: "path", Label: "Path begins with", Value: v.query("path")}
}

// nameFields returns the fields of a new thing.
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
