package awsmodel

import "testing"

func TestSensitive(t *testing.T) {
	for _, test := range []struct {
		op, path string
		want     bool
	}{
		{"CreateLoginProfile", "password", true},
		{"CreateLoginProfile", "Password", true},
		{"CreateLoginProfile", "userName", false},
		{"ChangePassword", "oldPassword", true},
		{"CreateAccessKey", "accessKey.secretAccessKey", true},
		{"CreateAccessKey", "AccessKey.AccessKeyId", false},
		{"CreateAccessKey", "accessKey", true}, // holds one
		{"CreateVirtualMFADevice", "virtualMFADevice.base32StringSeed", true},
		{"CreateVirtualMFADevice", "virtualMFADevice.qRCodePNG", true},
		{"CreateVirtualMFADevice", "virtualMFADevice.serialNumber", false},
		{"EnableMFADevice", "authenticationCode1", true},
		{"UploadServerCertificate", "privateKey", true},
		{"CreateServiceSpecificCredential", "serviceSpecificCredential.servicePassword", true},
		{"AssumeRole", "credentials.sessionToken", true},
		{"AssumeRole", "tokenCode", true},
		{"AssumeRole", "roleArn", false},
		{"TagUser", "tags.1.member.key", false},
		{"TagUser", "tags.value", false},
		{"TagUser", "tags", false},
		{"GetAccountSummary", "summaryMap.Users", false},
		{"TagUser", "nonsense", true},
		{"NoSuchAction", "userName", true},
	} {
		if got := Sensitive(test.op, test.path); got != test.want {
			t.Errorf("%s %s: got %v", test.op, test.path, got)
		}
	}
}

func TestSensitiveOverAllOperations(t *testing.T) {
	for _, service := range Services() {
		for _, op := range Operations(service.Name) {
			for _, s := range []*Shape{op.Input, op.Output} {
				if s != nil {
					holdsSensitive(s) // would not end if a shape held itself
				}
			}
		}
	}
}
