// Package plan turns the findings of an audit into a plan of remediation: which
// credentials to take away, in stages, on which days, by which commands.
//
// It promises:
//
//   - It runs nothing and reaches no service. What it writes does nothing
//     either until somebody asks it for one stage.
//   - Nothing is planned that was used within [Options.KeepUsedDays], or of which
//     the report does not tell when it was used, or which it cannot tell from
//     another; nothing an exception excuses; and nothing of root, ever. All of
//     these are listed, with the reason.
//   - Deleting comes last, after everything it undoes could have been missed.
//   - Nothing is planned for users for emergencies, nor for those who look so by
//     their name or path and whom nobody has classified.
//   - Every step looks again, right before it acts, at what the report said: is
//     it the same key, by when it was created and by its id where that is known,
//     and has nobody used it since, or shortly before this very moment.
//   - It is carried out at the service that the report came from, and undone are
//     its own deeds and no others.
//   - What a report says is data in what is written, whatever it is: names are
//     quoted, and those that IAM would not accept are not planned for.
package plan
