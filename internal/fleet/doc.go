// Package fleet gets credential reports from AWS, or from anything that speaks
// its IAM API, with the credentials and settings that AWS's own tools use.
//
// It promises:
//
//   - The environment, profiles, roles and processes work as in the AWS CLI.
//     The default region is us-east-1.
//
//   - If an endpoint is configured, no other host receives credentials: roles
//     are assumed there too, and redirects are not followed. The SDK alone
//     would send AssumeRole to AWS.
//
//   - The bytes of a report are the ones that the service sent.
//
//   - Waiting is polite and bounded: the package requests a report once and
//     then checks at growing intervals. An older report than requested is never
//     presented as fresh; see Source.
//
//   - In a run over many accounts (see Run), each account ends with a recorded
//     outcome, and no account makes another one fail. Roles are assumed only
//     with the caller's own credentials, and their sessions can only get
//     reports.
//
//   - The only secrets that are stored are sessions that needed an MFA code.
//     Only the user can read them, and they are removed when they expire; see
//     Settings.Sessions.
//
// The package refuses plain HTTP to another machine unless the settings allow
// it. It refuses to save content that is not a report, or is the report of
// another account. Package report knows the content of reports, and package
// history stores them.
//
// A report is in memory as a whole. To decode the answer, the SDK needs about
// six times its size for a moment. That matters for some hundred thousand users
// and more.
package fleet
