"""Addresses of the pages of playbooks, their editor, tasks, templates and the history of interventions."""

from django.urls import path

from bellwether.dashboard import (
    interventions_page,
    playbook_editor_page,
    playbook_enrolments_page,
    playbook_page,
    playbook_tasks_page,
    playbook_templates_page,
    playbooks_page,
)

urlpatterns = [
    path("playbooks/", playbooks_page.playbooks, name="playbooks"),
    path("playbooks/new/", playbook_editor_page.editor, name="playbook_new"),
    path("playbooks/tasks/", playbook_tasks_page.tasks, name="playbook_tasks"),
    path("playbooks/tasks/bulk/", playbook_tasks_page.bulk, name="playbook_tasks_bulk"),
    path("playbooks/templates/", playbook_templates_page.templates, name="message_templates"),
    path("playbooks/templates/new/", playbook_templates_page.template, name="message_template_new"),
    path("playbooks/templates/preview/", playbook_templates_page.preview, name="message_template_preview"),
    path("playbooks/templates/<slug:key>/", playbook_templates_page.template, name="message_template"),
    path("playbooks/templates/<slug:key>/<slug:action>/", playbook_templates_page.act, name="message_template_act"),
    path("playbooks/<slug:key>/", playbook_page.playbook, name="playbook"),
    path("playbooks/<slug:key>/dry-run/", playbook_page.dry_run_part, name="playbook_dry_run"),
    path("playbooks/<slug:key>/edit/", playbook_editor_page.editor, name="playbook_edit"),
    path("playbooks/<slug:key>/versions/<int:number>/restore/", playbook_page.restore_version, name="playbook_version"),
    path("playbooks/<slug:key>/act/<slug:action>/", playbook_page.act, name="playbook_act"),
    path("enrolments/<uuid:enrolment_id>/cancel/", playbook_enrolments_page.cancel, name="enrolment_cancel"),
    path("clients/<uuid:client_id>/playbook/", playbook_enrolments_page.start, name="playbook_start"),
    path("interventions/", interventions_page.interventions, name="interventions"),
    path("interventions.<slug:kind>", interventions_page.export, name="interventions_export"),
    path("interventions/<uuid:intervention_id>/", interventions_page.intervention, name="intervention"),
    path("interventions/<uuid:intervention_id>/outcome/", interventions_page.outcome, name="intervention_outcome"),
    path("interventions/<uuid:intervention_id>/<slug:action>/", playbook_tasks_page.act, name="intervention_act"),
]
