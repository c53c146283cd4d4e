// What who publishes may do: `upkeep publish`, `upkeep drop` and `upkeep check`, on a desk or in a pipeline. Making the resources
// themselves takes Owner (or Contributor with Role Based Access Control Administrator) on the subscription; this file gives neither.

import { Names } from 'names.bicep'
import { roles } from 'roles.bicep'

param names Names
param principalId string
param principalType string

var definitions = 'Microsoft.Authorization/roleDefinitions'

// upkeep: publications (blob_archive.py, put_publication); runs: the no-champion folder (put_no_champion); landing: `upkeep drop`.
var containers = [
  'upkeep'
  'runs'
  'landing'
]

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.storage
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = [for name in containers: {
  parent: blobs
  name: name
}]

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource state 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' existing = {
  parent: tables
  name: 'upkeep'
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

resource writesBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (name, index) in containers: {
  scope: container[index]
  name: guid(storage.id, name, principalId, 'Storage Blob Data Contributor')
  properties: {
    description: 'Publishing writes to ${name}.'
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Blob Data Contributor'])
  }
}]

// The model's pointer (table_state.py, publish).
resource writesPointer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: state
  name: guid(state.id, principalId, 'Storage Table Data Contributor')
  properties: {
    description: 'Publishing writes the pointer of a model.'
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Table Data Contributor'])
  }
}

// Environments, code and the endpoint (azureml_assets.py).
resource registersAssets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, principalId, 'AzureML Data Scientist')
  properties: {
    description: 'Publishing registers code and environments and makes endpoints.'
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId(definitions, roles['AzureML Data Scientist'])
  }
}

// The code itself: with shared keys off, a pending upload comes without a signature (azureml_assets.py, register_code).
resource uploadsCode 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspaceStorage
  name: guid(workspaceStorage.id, principalId, 'Storage Blob Data Contributor')
  properties: {
    description: 'Publishing uploads code.'
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId(definitions, roles['Storage Blob Data Contributor'])
  }
}

// `upkeep check` reads what the endpoints answered (traffic_log.py).
resource readsTraffic 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: logs
  name: guid(logs.id, principalId, 'Log Analytics Reader')
  properties: {
    description: 'The check after a deployment.'
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId(definitions, roles['Log Analytics Reader'])
  }
}
