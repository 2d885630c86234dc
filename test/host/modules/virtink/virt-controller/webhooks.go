package main

import (
	"context"
	"encoding/json"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// registerWebhooks serves what Virtink's manifest registers. The defaults are upstream's as far as a test host needs
// them; nothing is refused, which upstream does with what its CRD cannot express.
func registerWebhooks(manager ctrl.Manager) {
	server := manager.GetWebhookServer()
	server.Register("/mutate-v1alpha1-virtualmachine", &webhook.Admission{Handler: admission.HandlerFunc(setDefaults)})
	for _, path := range []string{"/validate-v1alpha1-virtualmachine", "/validate-v1alpha1-virtualmachinemigration"} {
		server.Register(path, &webhook.Admission{Handler: admission.HandlerFunc(allow)})
	}
}

func allow(context.Context, admission.Request) admission.Response {
	return admission.Allowed("")
}

func setDefaults(_ context.Context, request admission.Request) admission.Response {
	var vm map[string]any
	if err := json.Unmarshal(request.Object.Raw, &vm); err != nil {
		return admission.Errored(http.StatusBadRequest, err)
	}
	for _, field := range []struct {
		value any
		path  []string
	}{
		{"Once", []string{"spec", "runPolicy"}},
		{float64(1), []string{"spec", "instance", "cpu", "sockets"}},
		{float64(1), []string{"spec", "instance", "cpu", "coresPerSocket"}},
		{"1Gi", []string{"spec", "instance", "memory", "size"}},
	} {
		if value, isThere, _ := unstructured.NestedFieldNoCopy(vm, field.path...); isThere && value != "" && value != float64(0) {
			continue
		}
		if err := unstructured.SetNestedField(vm, field.value, field.path...); err != nil {
			return admission.Errored(http.StatusBadRequest, err)
		}
	}
	changed, err := json.Marshal(vm)
	if err != nil {
		return admission.Errored(http.StatusInternalServerError, err)
	}
	return admission.PatchResponseFromRaw(request.Object.Raw, changed)
}
