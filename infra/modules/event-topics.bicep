// Event Grid's system topics: blobs of Upkeep's account, runs of the workspace. Their identities are system-assigned: no other kind
// gets through a storage firewall as a trusted service.

import { Names } from 'names.bicep'

param location string
param names Names
param tags object

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names.storage
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-09-01' existing = {
  name: names.workspace
}

resource storageTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: names.storageTopic
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: storage.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource workspaceTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: names.workspaceTopic
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: workspace.id
    topicType: 'Microsoft.MachineLearningServices.Workspaces'
  }
}

output storageTopicName string = storageTopic.name
output storageTopicId string = storageTopic.id
output storagePrincipalId string = storageTopic.identity.principalId
output workspaceTopicName string = workspaceTopic.name
output workspaceTopicId string = workspaceTopic.id
output workspacePrincipalId string = workspaceTopic.identity.principalId
