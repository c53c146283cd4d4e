// What the serving code of an endpoint may do: read models. Azure gives its system-assigned identity AcrPull, and the workspace's own
// storage, when the endpoint is made (docs: Azure ML, concept-endpoints-online-auth); assigning those again would be refused.

import { roles } from 'roles.bicep'

param storageName string
param endpointName string

@description('The endpoint\'s system-assigned identity: another one when the endpoint was made anew.')
param principalId string

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource runs 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: 'runs'
}

// A registered model is a folder on the datastore upkeep_runs (azureml_models.py, Models.register).
resource readsModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: runs
  name: guid(runs.id, principalId, 'Storage Blob Data Reader')
  properties: {
    description: 'Deployments of ${endpointName} read their model.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Reader'])
  }
}
