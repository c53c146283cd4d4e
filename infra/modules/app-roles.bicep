// What the app may do, as its user-assigned identity. Each role is followed by the calls that need it.

import { Names } from 'names.bicep'
import { roles } from 'roles.bicep'

param names Names

var definitions = 'Microsoft.Authorization/roleDefinitions'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.appIdentity
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.storage
}

resource workspaceStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.workspaceStorage
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-09-01' existing = {
  name: names.workspace
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: names.logs
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

// Owner, not Contributor, is what the Functions host asks of AzureWebJobsStorage: it leases blobs in containers that it makes.
// With it: blob_archive.py (publications, decisions, manifests, evaluations), landing.py (read, copy, remove uploads; write parts).
resource blobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, identity.id, 'Storage Blob Data Owner')
  properties: {
    description: 'The Functions host, the archive and the intake.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Blob Data Owner'])
  }
}

// The queue triggers (receive, delete, make poison queues); queue_nudges.py and uploads_queue.py (send).
resource queues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, identity.id, 'Storage Queue Data Contributor')
  properties: {
    description: 'The queue triggers, nudges and what the sweep finds.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Queue Data Contributor'])
  }
}

// table_state.py (records, events, leases, decisions), ledger.py (uploads), and the host's diagnostic events.
resource tables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, identity.id, 'Storage Table Data Contributor')
  properties: {
    description: 'The state of the models and the ledger of uploads.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Table Data Contributor'])
  }
}

// azureml_jobs.py (data versions, jobs), azureml_models.py (model versions), azureml_endpoints.py (deployments, traffic),
// scoring.py (keys of endpoints). The role can neither change the workspace nor its computes.
resource learning 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, identity.id, 'AzureML Data Scientist')
  properties: {
    description: 'Jobs, models, deployments and traffic.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['AzureML Data Scientist'])
  }
}

// traffic_log.py: the canary's requests, errors and latency.
resource queries 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: logs
  name: guid(logs.id, identity.id, 'Log Analytics Reader')
  properties: {
    description: 'The traffic of the endpoints.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['Log Analytics Reader'])
  }
}

// collected_data.py: what deployments collected of their answers, to compare a candidate's with the live one's. Reading alone;
// the container's name holds an id that Azure ML draws when it makes the workspace, so the role is on the account.
resource collected 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspaceStorage
  name: guid(workspaceStorage.id, identity.id, 'Storage Blob Data Reader')
  properties: {
    description: 'What deployments collected.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Blob Data Reader'])
  }
}

// The host's telemetry: Application Insights takes no key (APPLICATIONINSIGHTS_AUTHENTICATION_STRING).
resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, 'Monitoring Metrics Publisher')
  properties: {
    description: 'Telemetry of the app.'
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(definitions, roles['Monitoring Metrics Publisher'])
  }
}
