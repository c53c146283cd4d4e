// Who may put files into the landing container: a group, so that a change of people is no deployment. There is no built-in role that
// writes without reading; uploads are moved away within minutes.

import { roles } from 'roles.bicep'

param storageName string
param groupId string

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource landing 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: 'landing'
}

// `upkeep drop`, azcopy, or whatever writes the files.
resource uploads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: landing
  name: guid(landing.id, groupId, 'Storage Blob Data Contributor')
  properties: {
    description: 'Uploads new data.'
    principalId: groupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}
