// Package plan turns the findings of an audit into a plan of remediation: it says
// which credentials to remove, in which stages, on which days, and with which
// commands.
//
// It promises:
//
//   - It runs nothing and reaches no service. The script that it writes does
//     nothing until somebody runs it for one stage.
//   - It keeps a credential that was used within [Options.KeepUsedDays], whose
//     last use is unknown, or that the report does not distinguish from another.
//     It keeps what an exception excuses, and never removes a credential of root.
//     The plan lists all of these with the reason.
//   - Deletion comes last, when the owner has had time to notice the
//     deactivation.
//   - Nothing is planned for users for emergencies, or for unclassified users
//     with such a name or path.
//   - Right before it acts, every step checks the facts of the report again: the
//     key has the same creation time and, if it is known, the same id, and nobody
//     has used it since the report or recently.
//   - It acts only on the service that the report came from. Undo only reverts
//     changes of the plan.
//   - Texts of the report are only data in the output: names are quoted, and
//     nothing is planned for names that IAM would not accept.
package plan
