package main

// column is the recipe for a column of the credential report. Its example would
// show where a password was last used.
var column = recipe{
	name: "column",
	steps: []step{
		{
			file: "report/row.go", what: "where a row keeps it",
			changes: []change{before(
				"\tPasswordLastChanged  Time\n",
				"\tPasswordLastUsedRegion Text\n",
			)},
		},
		{
			file: "report/column.go", what: "its declaration",
			changes: []change{
				after("\tfieldAdditional\n", "\tfieldPasswordLastUsedRegion\n"),
				after("\t\tadditional(func(r *Row) *Text { return &r.Additional }),\n",
					"\tfieldPasswordLastUsedRegion: of(password, WhereFact, \"password_last_used_region\").\n"+
						"\t\ttext(func(r *Row) *Text { return &r.PasswordLastUsedRegion }),\n"),
			},
		},
		{
			file: "internal/render/lake/lake_test.go", what: "the column of the Parquet table that people query",
			changes: []change{before(
				"\t// Extra holds the unknown columns.",
				"\tRegion        *string `parquet:\"password_last_used_region,dict\"`\n"+
					"\tRegionAbsence *string `parquet:\"password_last_used_region_absence,dict\"`\n",
			)},
		},
	},
	tests: []string{
		"./report", "./internal/audit", "./internal/audit/diff", "./internal/render/...", "./internal/reports",
	},
}
