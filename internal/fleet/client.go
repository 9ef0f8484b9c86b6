package fleet

import "github.com/aws/aws-sdk-go-v2/service/iam"

// IAM returns the account's client, for further requests.
func (a *Account) IAM() *iam.Client { return a.iam }
