// What training code may do, as the identity of the cluster: the least of all, because anyone who may change a model's folder
// decides what it does. It reaches neither decisions nor queues nor tables.

import { roles } from 'roles.bicep'

param principalId string
param storageName string
param workspaceStorageName string
param containerRegistryName string

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource accepted 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: 'accepted'
}

resource runs 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: 'runs'
}

resource workspaceStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workspaceStorageName
}

resource containerRegistry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: containerRegistryName
}

// The inputs `manifest` and `parts` of a job, mounted read-only (azureml_jobs.py, Jobs.submit).
resource readsParts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: accepted
  name: guid(accepted.id, principalId, 'Storage Blob Data Reader')
  properties: {
    description: 'Jobs read manifests and parts.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Reader'])
  }
}

// The outputs `model` and `evaluation`, and the input `champion`.
resource writesRuns 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: runs
  name: guid(runs.id, principalId, 'Storage Blob Data Contributor')
  properties: {
    description: 'Jobs write models and evaluations, and read the champion.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}

// The job's code, logs and MLflow artifacts lie in the workspace's own account.
resource usesWorkspaceStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspaceStorage
  name: guid(workspaceStorage.id, principalId, 'Storage Blob Data Contributor')
  properties: {
    description: 'Jobs read their code and write their logs.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}

// The image of the job's environment.
resource pullsImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: containerRegistry
  name: guid(containerRegistry.id, principalId, 'AcrPull')
  properties: {
    description: 'The cluster pulls the images of environments.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.AcrPull)
  }
}
