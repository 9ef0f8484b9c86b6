package awsquery_test

import (
	"github.com/google/go-cmp/cmp"
)

// unexported leaves out the SDK's marker fields and what it adds to outputs.
var unexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && (field.Name() == "noSmithyDocumentSerde" || field.Name() == "ResultMetadata")
}, cmp.Ignore())
